/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Ends of lines, cut into blocks at every place, against what a byte at a
 * time gives.
 */
#include <sys/types.h>

#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "ucspi_stream.h"

#define TEXT_MAX	12

struct reshaper {
	size_t	 (*reshape)(int *, char *, const char *, size_t);
	void	 (*expect)(const char *, size_t, char *, size_t *);
};

static void
expect_add(const char *in, size_t len, char *out, size_t *outlen)
{
	size_t	i, n = 0;

	for (i = 0; i < len; i++) {
		if (in[i] == '\n')
			out[n++] = '\r';
		out[n++] = in[i];
	}
	*outlen = n;
}

static void
expect_drop(const char *in, size_t len, char *out, size_t *outlen)
{
	size_t	i, n = 0;

	for (i = 0; i < len; i++)
		if (in[i] != '\r' || i + 1 == len || in[i + 1] != '\n')
			out[n++] = in[i];
	*outlen = n;
}

static void
expect_fix(const char *in, size_t len, char *out, size_t *outlen)
{
	size_t	i, n = 0;

	for (i = 0; i < len; i++) {
		if (in[i] == '\n' && (i == 0 || in[i - 1] != '\r'))
			out[n++] = '\r';
		out[n++] = in[i];
	}
	*outlen = n;
}

/*
 * One block in memory of exactly the size that it needs, in and out, so
 * that a sanitizer sees each byte too many.
 */
static size_t
block_reshape(const struct reshaper *r, int *state, char *out,
    const char *in, size_t len)
{
	char	*from, *to;
	size_t	 n;

	ATF_REQUIRE((from = malloc(len == 0 ? 1 : len)) != NULL);
	ATF_REQUIRE((to = malloc(2 * len + 1)) != NULL);
	memcpy(from, in, len);
	n = r->reshape(state, to, from, len);
	ATF_REQUIRE(n <= 2 * len + 1);
	memcpy(out, to, n);
	free(from);
	free(to);
	return (n);
}

/* cuts has a bit for each place between two bytes. */
static void
text_check(const struct reshaper *r, const char *text, size_t len,
    unsigned int cuts)
{
	char	 wanted[2 * TEXT_MAX], got[4 * TEXT_MAX];
	size_t	 begin = 0, i, n = 0, wanted_len;
	int	 state = 0;

	r->expect(text, len, wanted, &wanted_len);
	for (i = 0; i < len; i++) {
		if (i + 1 < len && (cuts & (1U << i)) == 0)
			continue;
		n += block_reshape(r, &state, got + n, text + begin,
		    i + 1 - begin);
		begin = i + 1;
	}
	n += block_reshape(r, &state, got + n, text, 0);
	ATF_REQUIRE_EQ_MSG(wanted_len, n, "%zu bytes, not %zu", n,
	    wanted_len);
	ATF_REQUIRE_MSG(memcmp(wanted, got, n) == 0, "other bytes");
}

/* Every text of so many bytes of an alphabet, cut in every way. */
static void
all_check(const struct reshaper *r, size_t len)
{
	static const char	alphabet[] = { '\r', '\n', 'x', '\0' };
	char			text[TEXT_MAX];
	unsigned int		cuts;
	size_t			i, number, texts = 1;

	for (i = 0; i < len; i++)
		texts *= sizeof(alphabet);
	for (number = 0; number < texts; number++) {
		for (i = 0; i < len; i++)
			text[i] = alphabet[(number >> (2 * i)) & 3];
		for (cuts = 0; cuts < 1U << (len == 0 ? 0 : len - 1); cuts++)
			text_check(r, text, len, cuts);
	}
}

/* Long ones, from a fixed seed, cut rarely: words and what is between. */
#define LONG_SIZE	4000

static void
long_check(const struct reshaper *r, unsigned int seed)
{
	static const char	 common[] = "xy\r\n";
	static char		 text[LONG_SIZE], wanted[2 * LONG_SIZE];
	static char		 got[4 * LONG_SIZE];
	size_t			 begin = 0, i, n = 0, wanted_len;
	unsigned int		 rare = 1 + seed % 40;
	int			 state = 0;

	srandom(seed);
	for (i = 0; i < LONG_SIZE; i++)
		text[i] = (unsigned int)random() % rare != 0 ? (char)random() :
		    common[random() % 4];
	r->expect(text, LONG_SIZE, wanted, &wanted_len);
	for (i = 0; i < LONG_SIZE; i++) {
		if (i + 1 < LONG_SIZE && random() % 100 != 0)
			continue;
		n += block_reshape(r, &state, got + n, text + begin,
		    i + 1 - begin);
		begin = i + 1;
	}
	n += block_reshape(r, &state, got + n, text, 0);
	ATF_REQUIRE_EQ_MSG(wanted_len, n, "seed %u: %zu bytes, not %zu", seed,
	    n, wanted_len);
	ATF_REQUIRE_MSG(memcmp(wanted, got, n) == 0, "seed %u: other bytes",
	    seed);
}

static void
lengths_check(const struct reshaper *r)
{
	size_t		len;
	unsigned int	seed;

	for (len = 0; len <= 6; len++)
		all_check(r, len);
	for (seed = 0; seed < 400; seed++)
		long_check(r, seed);
}

ATF_TC_WITHOUT_HEAD(add);
ATF_TC_BODY(add, tc)
{
	static const struct reshaper	r = { crlf_add, expect_add };

	lengths_check(&r);
}

ATF_TC_WITHOUT_HEAD(drop);
ATF_TC_BODY(drop, tc)
{
	static const struct reshaper	r = { crlf_drop, expect_drop };

	lengths_check(&r);
}

ATF_TC_WITHOUT_HEAD(fix);
ATF_TC_BODY(fix, tc)
{
	static const struct reshaper	r = { crlf_fix, expect_fix };

	lengths_check(&r);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, add);
	ATF_TP_ADD_TC(tp, drop);
	ATF_TP_ADD_TC(tp, fix);
	return (atf_no_error());
}
