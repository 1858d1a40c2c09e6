# Test programs of one directory, the same for all three makes:
#	TESTS_C		ATF programs, NAME from NAME.c
#	TESTS_SH	atf-sh programs, NAME from NAME.sh
#	TESTS_PY	ATF programs in Python, NAME from NAME.py
#	TOOLS_PY	modules of tools/ they import, copied beside them
#	HELPERS		programs the tests run, NAME from NAME.c
#	TESTS_DATA	files the tests read, copied beside them
#	OBJS_NAME	object files of a program that it is linked with
# USELIB and USESYS as in ../Makefile.inc.

# Read early: the rules below need DPADD at once.
.include "Makefile.inc"

ATF_CFLAGS!=	pkg-config --cflags atf-c
ATF_LIBS!=	pkg-config --libs atf-c
ATF_SH!=	command -v atf-sh || echo /usr/libexec/atf-sh
MAN=

all: ${TESTS_C} ${TESTS_SH} ${TESTS_PY} ${TOOLS_PY} ${HELPERS}
.if !empty(TESTS_DATA)
all: testdata
.endif

.for t in ${TESTS_C}
${t}: ${t}.c ${OBJS_${t}} ${DPADD}
	${CC} ${CFLAGS} ${COPTS} ${ATF_CFLAGS} -o ${t} ${.CURDIR}/${t}.c \
	    ${OBJS_${t}} ${LDFLAGS} ${LDADD} ${ATF_LIBS}
.endfor

.for t in ${HELPERS}
${t}: ${t}.c ${OBJS_${t}} ${DPADD}
	${CC} ${CFLAGS} ${COPTS} -o ${t} ${.CURDIR}/${t}.c ${OBJS_${t}} \
	    ${LDFLAGS} ${LDADD}
.endfor

.for t in ${TESTS_SH}
${t}: ${t}.sh
	(echo "#!${ATF_SH}"; cat ${.CURDIR}/${t}.sh) > ${t}
	chmod 755 ${t}
.endfor

.for t in ${TESTS_PY}
${t}: ${t}.py
	cp ${.CURDIR}/${t}.py ${t}
	chmod 755 ${t}
.endfor

.for t in ${TOOLS_PY}
${t}: ${TOP}/regress/tools/${t}
	cp ${TOP}/regress/tools/${t} ${t}
.endfor

.PHONY: testdata
testdata:
	for f in ${TESTS_DATA}; do \
		[ ${.CURDIR}/$$f -ef ./$$f ] || cp ${.CURDIR}/$$f ./$$f; \
	done

CLEANFILES+=	${TESTS_C} ${TESTS_SH} ${TESTS_PY} ${TOOLS_PY} ${HELPERS}
