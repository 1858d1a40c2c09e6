/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Strings and words of a configuration file, written.
 */
#include <stdio.h>
#include <string.h>

#include "compat.h"
#include "conf.h"

static void
char_print(FILE *f, char ch)
{
	switch (ch) {
	case '\n':
		fputs("\\n", f);
		break;
	case '\r':
		fputs("\\r", f);
		break;
	case '\t':
		fputs("\\t", f);
		break;
	case '"':
	case '\\':
		fputc('\\', f);
		/* FALLTHROUGH */
	default:
		fputc(ch, f);
	}
}

void
conf_print_bytes(FILE *f, const char *bytes, size_t len)
{
	size_t	i;

	fputc('"', f);
	for (i = 0; i < len; i++)
		char_print(f, bytes[i]);
	fputc('"', f);
}

void
conf_print_string(FILE *f, const char *s)
{
	conf_print_bytes(f, s, strlen(s));
}

/* Of what the lexer takes for a word, what is plain to the reader as well. */
void
conf_print_word(FILE *f, const char *s)
{
	static const char	plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-.:%*";

	if (s[0] != '\0' && s[strspn(s, plain)] == '\0')
		fputs(s, f);
	else
		conf_print_string(f, s);
}
