/*
 * Rules text from a descriptor into a cdb file: what tcprules does between
 * creating its file and moving it into place.  See access(3).
 */
#ifndef COMPILE_H
#define COMPILE_H

#include <stddef.h>
#include <stdint.h>

enum compile_result {
	COMPILE_DONE,
	COMPILE_SYNTAX,			/* line tells where */
	COMPILE_READ,			/* errno tells why */
	COMPILE_WRITE,			/* errno tells why */
	COMPILE_MEMORY
};

/* The line that could not be read, without its trailing blanks. */
struct compile_line {
	uint8_t	*bytes;			/* to be freed by the caller */
	size_t	 len;
};

/*
 * compile_rules: reads rules from the first descriptor until its end and
 * writes the database to the second, which must be an empty regular file
 * opened for writing, and at its start.  Neither syncs nor
 * closes.  line may be NULL; it is filled in for COMPILE_SYNTAX only.
 */
enum compile_result	compile_rules(int, int, struct compile_line *);

#endif
