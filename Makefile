# tcpserverd and autoturnd.  For bmake (BSD make).
#
#	bmake				build
#	bmake install			PREFIX, DESTDIR; build first, with the
#					same PREFIX: it is compiled in
#	bmake deinstall			removes what install put there
#	bmake check			the test suite, on a build and staged
#					installation of its own under the object
#					directory (see regress/check)
#	bmake lint			manuals, scripts and sources
#	bmake portability		compile every source for the other systems
#	bmake fuzz			every fuzz target over its corpus, briefly
#	bmake proof			the long proofs, by hand
#	bmake bench			side by side with the peers
#	bmake clean, cleandir

.include "Makefile.inc"

# bsd.subdir.mk would take lint to every directory, where it means lint(1).
.if !make(lint)
SUBDIR=		lib libexec usr.sbin usr.bin etc share
.endif
.if make(check-build) || make(clean) || make(cleandir) || make(obj)
SUBDIR+=	regress
.endif

CHECKDIR?=	${.OBJDIR}/check.obj
BEFOREDIRS=	${PREFIX}/bin ${PREFIX}/sbin ${LIBEXECDIR} \
		${PREFIX}/share/man/man1 ${PREFIX}/share/man/man3 \
		${PREFIX}/share/man/man5 ${PREFIX}/share/man/man7 \
		${PREFIX}/share/man/man8

# Paths are compiled in, so installing for a PREFIX that was not built for
# would give programs that look in the wrong place: KNOBS_FILE remembers
# what was built, and the sources that use a path depend on it.
all: knobs
knobs:
	@echo "${KNOBS}" | cmp -s - ${KNOBS_FILE} || \
	    echo "${KNOBS}" > ${KNOBS_FILE}

# OpenBSD and FreeBSD do not make the directories install writes to.  An
# ordinary user can't make EMPTYDIR and can't chroot(2) to it either.
beforeinstall:
	@echo "${KNOBS}" | cmp -s - ${KNOBS_FILE} || { \
	    echo "install: this would install for ${KNOBS}" >&2; \
	    echo "install: but built is `cat ${KNOBS_FILE} || echo nothing`:" \
		"build first, with the same variables" >&2; exit 1; }
	@for d in ${BEFOREDIRS}; do mkdir -p ${DESTDIR}$$d || exit 1; done
	@[ -d ${DESTDIR}${EMPTYDIR} ] || \
	    { mkdir -p ${DESTDIR}${EMPTYDIR} && \
	    chmod 555 ${DESTDIR}${EMPTYDIR}; } 2>/dev/null || \
	    [ ${INVOKER} != 0 ]

# What install would write is what deinstall removes: no list to keep.
deinstall:
	@sh ${.CURDIR}/etc/deinstall "${MAKE}" ${.CURDIR} "${DESTDIR}"

# Builds the programs and the tests; a target of its own so that a plain
# build needs no ATF.
check-build: all

check:
	@CHECKDIR=${CHECKDIR} MAKE="${MAKE}" CC="${CC}" COPTS="${COPTS}" \
	    LDFLAGS="${LDFLAGS}" WERROR="${WERROR}" \
	    sh ${.CURDIR}/regress/check

lint:
	@sh ${.CURDIR}/regress/lint

portability:
	OBJDIR=${.OBJDIR} sh ${.CURDIR}/regress/portability/run

fuzz:
	@OBJDIR=${.OBJDIR} MAKE="${MAKE}" \
	    sh ${.CURDIR}/regress/fuzz/run

proof:
	CHECKDIR=${CHECKDIR} MAKE="${MAKE}" sh ${.CURDIR}/regress/proof

bench:
	CHECKDIR=${CHECKDIR} MAKE="${MAKE}" sh ${.CURDIR}/bench/run

CLEANFILES=	${KNOBS_FILE}
clean cleandir: cleantop
cleantop:
	rm -f ${CLEANFILES}

.PHONY: knobs deinstall check-build check lint portability fuzz proof bench \
	cleantop

.include <bsd.subdir.mk>
