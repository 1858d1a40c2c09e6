/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Environment edits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "ucspi.h"

static void
check(const struct ucspi_env *env, const char *wanted)
{
	char	out[512];
	size_t	i, len = 0;

	out[0] = '\0';
	for (i = 0; env->list[i] != NULL; i++)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%s",
		    i == 0 ? "" : " ", env->list[i]);
	ATF_CHECK_EQ(i, env->len);
	ATF_CHECK_STREQ(wanted, out);
}

/* Entries are borrowed: here from this, for as long as a test lasts. */
static char	entries[32768];
static size_t	entries_len;

static void
put(struct ucspi_env *env, const char *entry)
{
	char	*copy;
	size_t	 len;

	len = strlen(entry) + 1;
	ATF_REQUIRE(entries_len + len <= sizeof(entries));
	copy = memcpy(entries + entries_len, entry, len);
	entries_len += len;
	ATF_REQUIRE(ucspi_env_put(env, copy) == 0);
}

ATF_TC_WITHOUT_HEAD(edits);
ATF_TC_BODY(edits, tc)
{
	struct ucspi_env	env;

	ATF_REQUIRE(ucspi_env_init(&env, NULL) == 0);
	check(&env, "");
	put(&env, "A=1");
	put(&env, "AB=2");
	put(&env, "A=3");
	check(&env, "A=3 AB=2");
	put(&env, "=v");
	put(&env, "C=");
	check(&env, "A=3 AB=2 =v C=");
	put(&env, "=w");
	check(&env, "A=3 AB=2 =w C=");
	ucspi_env_unset(&env, "A");
	check(&env, "AB=2 =w C=");
	ucspi_env_unset(&env, "nosuch");
	ucspi_env_unset(&env, "");
	check(&env, "AB=2 C=");
	ucspi_env_unset(&env, "C");
	ucspi_env_unset(&env, "AB");
	check(&env, "");
	ucspi_env_free(&env);
}

ATF_TC_WITHOUT_HEAD(duplicates);
ATF_TC_BODY(duplicates, tc)
{
	struct ucspi_env	 env;
	char			 a[] = "A=1", b[] = "B=2", c[] = "A=3";
	char			 odd[] = "ODD";
	char			*from[] = { a, b, c, odd, NULL };

	ATF_REQUIRE(ucspi_env_init(&env, from) == 0);
	check(&env, "A=1 B=2 A=3 ODD");
	put(&env, "A=9");
	check(&env, "A=9 B=2 ODD");
	ucspi_env_free(&env);

	ATF_REQUIRE(ucspi_env_init(&env, from) == 0);
	ucspi_env_unset(&env, "A");
	ucspi_env_unset(&env, "ODD");
	check(&env, "B=2");
	ATF_CHECK_STREQ("A=1", from[0]);
	ucspi_env_free(&env);
}

ATF_TC_WITHOUT_HEAD(appended);
ATF_TC_BODY(appended, tc)
{
	struct ucspi_env	 env;
	char			 entry[] = "A=1", again[] = "A=2";
	int			 i;

	ATF_REQUIRE(ucspi_env_init(&env, NULL) == 0);
	ATF_REQUIRE(ucspi_env_append(&env, entry) == 0);
	ATF_REQUIRE(ucspi_env_append(&env, again) == 0);
	check(&env, "A=1 A=2");
	for (i = 2; i < 1000; i++)
		ATF_REQUIRE(ucspi_env_append(&env, entry) == 0);
	ATF_CHECK_EQ(1000, env.len);
	ATF_CHECK(env.list[999] == entry);
	ATF_CHECK(env.list[1000] == NULL);
	put(&env, "A=3");
	check(&env, "A=3");
	ucspi_env_free(&env);
}

ATF_TC_WITHOUT_HEAD(copies);
ATF_TC_BODY(copies, tc)
{
	struct ucspi_env	 dst, src;
	char			 entry[32], **memory;
	int			 i;

	ATF_REQUIRE(ucspi_env_init(&src, NULL) == 0);
	ATF_REQUIRE(ucspi_env_init(&dst, NULL) == 0);
	for (i = 0; i < 1000; i++) {
		(void)snprintf(entry, sizeof(entry), "V%d=x", i);
		put(&src, entry);
	}
	ATF_CHECK_EQ(1000, src.len);
	ATF_REQUIRE(ucspi_env_copy(&dst, &src) == 0);
	ATF_CHECK_EQ(1000, dst.len);
	ATF_CHECK(dst.list[1000] == NULL);
	ATF_CHECK_STREQ("V999=x", dst.list[999]);

	/* A second, smaller copy reuses the memory. */
	memory = dst.list;
	for (i = 1; i < 1000; i++) {
		(void)snprintf(entry, sizeof(entry), "V%d", i);
		ucspi_env_unset(&src, entry);
	}
	ATF_REQUIRE(ucspi_env_copy(&dst, &src) == 0);
	ATF_CHECK(dst.list == memory);
	check(&dst, "V0=x");
	ucspi_env_free(&src);
	ucspi_env_free(&dst);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, edits);
	ATF_TP_ADD_TC(tp, duplicates);
	ATF_TP_ADD_TC(tp, appended);
	ATF_TP_ADD_TC(tp, copies);
	return (atf_no_error());
}
