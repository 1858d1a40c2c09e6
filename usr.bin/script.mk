# A program that is a shell script: SCRIPT from SCRIPT.sh, with the directory
# of the programs it runs put in.  Not every bsd.prog.mk knows scripts.
.include "Makefile.inc"

MAN=		${SCRIPT}.1
CLEANFILES+=	${SCRIPT}

all: ${SCRIPT}
${SCRIPT}: ${SCRIPT}.sh ${KNOBS_FILE}
	sed 's,%BINDIR%,${BINDIR},g' ${.CURDIR}/${SCRIPT}.sh > ${SCRIPT}
	chmod 755 ${SCRIPT}

afterinstall: scriptinstall
scriptinstall: .PHONY
	${INSTALL} -c -m 555 ${SCRIPT} ${DESTDIR}${BINDIR}/${SCRIPT}
