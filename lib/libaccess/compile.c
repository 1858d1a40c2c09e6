/*
 * Reads rules, writes a cdb file through libcdb.  Used by tcprules only, so
 * that no daemon holds a maker of databases.
 */
#include <sys/types.h>

#include <cdb.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile.h"
#include "network.h"
#include "rules.h"

#define READ_BYTES	65536

/* The input: base[start .. text.len) is read and not yet used. */
struct source {
	int		fd;
	struct buffer	text;
	size_t		start;
	int		at_end;
};

struct output {
	struct cdb_make		make;
	struct network_lengths	lengths;
};

/* Moves what is left to the front and reads more behind it. */
static enum compile_result
source_fill(struct source *source)
{
	struct buffer	*text = &source->text;
	ssize_t		 n;

	text->len -= source->start;
	if (text->len > 0)
		memmove(text->base, text->base + source->start, text->len);
	source->start = 0;
	if (buffer_reserve(text, READ_BYTES) == -1)
		return (COMPILE_READ);
	do
		n = read(source->fd, text->base + text->len,
		    text->size - text->len);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return (COMPILE_READ);
	if (n == 0)
		source->at_end = 1;
	text->len += n;
	return (COMPILE_DONE);
}

/*
 * Gives the next line, its line feed included.  *len is 0 at the end of the
 * input.
 */
static enum compile_result
source_line(struct source *source, const uint8_t **line, size_t *len)
{
	enum compile_result	 result;
	const uint8_t		*end;
	size_t			 seen;

	for (seen = 0;; seen = *len) {
		*line = source->text.base + source->start;
		*len = source->text.len - source->start;
		end = *len == seen ? NULL :
		    memchr(*line + seen, '\n', *len - seen);
		if (end != NULL)
			*len = end + 1 - *line;
		if (end != NULL || source->at_end)
			break;
		result = source_fill(source);
		if (result != COMPILE_DONE)
			return (result);
	}
	source->start += *len;
	return (COMPILE_DONE);
}

/* libcdb takes lengths as unsigned int; more never fits in the format. */
static int
record_write(void *arg, const uint8_t *key, size_t key_len,
    const uint8_t *data, size_t data_len)
{
	struct output	*output = arg;

	if (key_len > UINT_MAX || data_len > UINT_MAX) {
		errno = ENOMEM;
		return (-1);
	}
	network_key_note(&output->lengths, key, key_len);
	return (cdb_make_add(&output->make, key, key_len, data, data_len));
}

static enum compile_result
line_keep(struct compile_line *line, const uint8_t *bytes, size_t len)
{
	if (line == NULL)
		return (COMPILE_SYNTAX);
	if ((line->bytes = malloc(len + 1)) == NULL)
		return (COMPILE_MEMORY);
	memcpy(line->bytes, bytes, len);
	line->bytes[len] = '\0';
	line->len = len;
	return (COMPILE_SYNTAX);
}

static enum compile_result
lines_compile(struct source *source, struct output *output,
    struct rules *rules, struct compile_line *bad)
{
	enum compile_result	 result;
	const uint8_t		*line;
	size_t			 len;

	for (;;) {
		if ((result = source_line(source, &line, &len)) != COMPILE_DONE)
			return (result);
		if (len == 0)
			return (COMPILE_DONE);
		len = rules_trim(line, len);
		switch (rules_line(rules, line, len, record_write, output)) {
		case RULES_DONE:
			break;
		case RULES_SYNTAX:
			return (line_keep(bad, line, len));
		case RULES_MEMORY:
			return (COMPILE_MEMORY);
		case RULES_SINK:
			return (COMPILE_WRITE);
		}
	}
}

/* Only a file with networks says which lengths: others stay 0.88's. */
static int
lengths_record_write(struct output *output)
{
	uint8_t	data[NETWORK_LENGTHS_DATA];

	network_lengths_write(&output->lengths, data);
	return (cdb_make_add(&output->make, NETWORK_LENGTHS_KEY,
	    NETWORK_LENGTHS_KEY_LEN, data, sizeof(data)));
}

/*
 * Frees what the maker holds without completing the file: cdb_make_finish(3)
 * alone can do that, so it gets a descriptor that can't be written.
 */
static void
output_abandon(struct output *output)
{
	int	saved_errno;

	saved_errno = errno;
	output->make.cdb_fd = -1;
	(void)cdb_make_finish(&output->make);
	errno = saved_errno;
}

static enum compile_result
output_finish(struct output *output, const struct rules *rules)
{
	if (rules->has_networks && lengths_record_write(output) == -1) {
		output_abandon(output);
		return (COMPILE_WRITE);
	}
	return (cdb_make_finish(&output->make) == -1 ? COMPILE_WRITE :
	    COMPILE_DONE);
}

enum compile_result
compile_rules(int in, int out, struct compile_line *bad)
{
	struct source		source;
	struct output		output;
	struct rules		rules;
	enum compile_result	result;
	int			saved_errno;

	memset(&source, 0, sizeof(source));
	memset(&rules, 0, sizeof(rules));
	memset(&output, 0, sizeof(output));
	source.fd = in;
	if (buffer_reserve(&source.text, READ_BYTES) == -1)
		return (COMPILE_READ);
	if (cdb_make_start(&output.make, out) == -1) {
		free(source.text.base);
		return (COMPILE_WRITE);
	}
	result = lines_compile(&source, &output, &rules, bad);
	if (result == COMPILE_DONE)
		result = output_finish(&output, &rules);
	else
		output_abandon(&output);
	saved_errno = errno;
	free(source.text.base);
	rules_free(&rules);
	errno = saved_errno;
	return (result);
}
