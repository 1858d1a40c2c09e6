# tcpserverd and autoturnd.  For bmake (BSD make).
#
#	bmake				build
#	bmake install			PREFIX, DESTDIR; build first, then install
#	bmake deinstall			removes what install put there
#	bmake check			the test suite, on a build and staged
#					installation of its own under the object
#					directory (see regress/check)
#	bmake lint			mandoc over every manual
#	bmake portability		compile every source for the other systems
#	bmake fuzz			every fuzz target over its corpus, briefly
#	bmake proof			the long proofs, by hand
#	bmake bench			side by side with the peers
#	bmake clean, cleandir

SUBDIR=		lib libexec usr.sbin usr.bin etc share
.if make(check-build) || make(clean) || make(cleandir) || make(obj)
SUBDIR+=	regress
.endif

CHECKDIR?=	${.OBJDIR}/check.obj

.PHONY: check check-build lint portability fuzz proof bench deinstall
check:
	CHECKDIR=${CHECKDIR} MAKE="${MAKE}" sh ${.CURDIR}/regress/check

# Builds the programs and the tests; a target of its own so that a plain
# build needs no ATF.
check-build: all

lint:
	sh ${.CURDIR}/regress/lint

portability:
	OBJDIR=${.OBJDIR} sh ${.CURDIR}/regress/portability/run

fuzz:
	OBJDIR=${.OBJDIR} MAKE="${MAKE}" sh ${.CURDIR}/regress/fuzz/run

proof:
	CHECKDIR=${CHECKDIR} MAKE="${MAKE}" sh ${.CURDIR}/regress/proof

bench:
	CHECKDIR=${CHECKDIR} MAKE="${MAKE}" sh ${.CURDIR}/bench/run

# What install would write is what deinstall removes: no list to keep.
# A file an administrator changed (etc/) is left where it is.
deinstall:
	sh ${.CURDIR}/etc/deinstall "${MAKE}" "${.CURDIR}" "${DESTDIR}"

# OpenBSD and FreeBSD do not make the directories install writes to.
beforeinstall:
	for d in ${BEFOREDIRS}; do mkdir -p ${DESTDIR}$$d || exit 1; done

.include <bsd.subdir.mk>
.include "Makefile.inc"
BEFOREDIRS=	${PREFIX}/bin ${PREFIX}/sbin ${LIBEXECDIR} \
		${PREFIX}/share/man/man1 ${PREFIX}/share/man/man3 \
		${PREFIX}/share/man/man5 ${PREFIX}/share/man/man7 \
		${PREFIX}/share/man/man8
