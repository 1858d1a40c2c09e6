/*
 * Random rules against random clients: the verdict must be that of a plain
 * linear model, which knows rules as numbers and the order as a table, and
 * shares no code with the library.  A failure prints its seed;
 * ACCESS_SEED=N runs that one alone.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <arpa/inet.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>

#include "dbtool.h"
#include "compat.h"

#define SEEDS		300
#define RULES_MAX	60
#define CLIENTS		150
#define TEXT_SIZE	(RULES_MAX * 256)

enum kind {
	KIND_V4,		/* components, perhaps a range, 1 to 4 */
	KIND_V6,
	KIND_V6_TEXT,		/* the first groups */
	KIND_NET4,
	KIND_NET6,
	KIND_HOST,
	KIND_SUFFIX,
	KIND_ANY_HOST,
	KIND_EMPTY,
	KIND_COUNT
};

struct model_rule {
	enum kind	kind;
	int		first[4];	/* KIND_V4: ranges of components */
	int		last[4];
	int		count;		/* of components, of groups */
	uint8_t		bytes[16];
	int		bits;
	char		name[64];	/* host, suffix */
	char		info[8];
	int		has_info;
	int		deny;
};

struct model_client {
	int		family;
	uint8_t		bytes[16];
	char		ip[INET6_ADDRSTRLEN];
	char		host[64];
	int		has_host;
	char		info[8];
	int		has_info;
};

static struct model_rule	model[RULES_MAX];
static size_t			model_count;
static char			text[TEXT_SIZE];
static uint64_t			state;
static struct access_verdict	verdict;

/* splitmix64, so that a seed gives the same case everywhere. */
static unsigned int
pick(unsigned int bound)
{
	uint64_t	z;

	z = (state += 0x9e3779b97f4a7c15ULL);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return ((z ^ (z >> 31)) % bound);
}

/* Few values, so that rules and clients meet. */
static int
pick_byte(void)
{
	const int	bytes[] = { 0, 1, 2, 9, 10, 127, 128, 255 };

	return (bytes[pick(nitems(bytes))]);
}

static void
pick_v6(uint8_t *bytes)
{
	const uint8_t	words[][2] = { { 0, 0 }, { 0, 0 }, { 0, 0 },
			    { 0, 1 }, { 0x20, 1 }, { 0x0d, 0xb8 },
			    { 0xff, 0xff }, { 0, 0x10 } };
	int		i;

	/* 64:ff9b and the like: never mapped, which would be IPv4. */
	for (i = 0; i < 8; i++)
		memcpy(bytes + i * 2, words[pick(nitems(words))], 2);
	if (pick(3) > 0)
		memcpy(bytes, "\x20\x01\x0d\xb8", 4);
	else if (bytes[0] == 0 && bytes[1] == 0)
		bytes[1] = 3;
}

static void
pick_host(char *host, size_t size)
{
	const char	*labels[] = { "a", "b", "example", "net", "", "x-y" };
	int		 i, count;

	host[0] = '\0';
	count = pick(5);
	for (i = 0; i < count; i++) {
		if (i > 0)
			strlcat(host, ".", size);
		strlcat(host, labels[pick(nitems(labels))], size);
	}
}

static void
pick_info(char *info, int *has)
{
	const char	*infos[] = { "", "joe", "root", "a-b" };

	strlcpy(info, infos[pick(nitems(infos))], 8);
	*has = pick(3) == 0;
}

static int
bits_equal(const uint8_t *a, const uint8_t *b, int bits)
{
	int	i;

	for (i = 0; i < bits; i++)
		if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8)) & 1)
			return (0);
	return (1);
}

/* The groups in any spelling that inet_pton(3) takes, each with a colon. */
static void
groups_spell(const uint8_t *bytes, int count, char *out, size_t size)
{
	const char	*formats[] = { "%x:", "%X:", "%04x:", "%04X:",
			    "%02x:" };
	char		 group[8];
	int		 i;

	out[0] = '\0';
	for (i = 0; i < count; i++) {
		snprintf(group, sizeof(group), formats[pick(nitems(formats))],
		    bytes[i * 2] << 8 | bytes[i * 2 + 1]);
		strlcat(out, group, size);
	}
}

/* Any spelling of an IPv6 address. */
static void
v6_spell(const uint8_t *bytes, char *out, size_t size)
{
	int	i;

	if (pick(2) == 0)
		inet_ntop(AF_INET6, bytes, out, size);
	else {
		groups_spell(bytes, 8, out, size);
		out[strlen(out) - 1] = '\0';
	}
	if (pick(3) == 0)
		for (i = 0; out[i] != '\0'; i++)
			out[i] = toupper((unsigned char)out[i]);
}

static void
v4_make(struct model_rule *rule, char *out, size_t size)
{
	char	component[16];
	int	i, ranged;

	rule->count = 1 + pick(4);
	ranged = !rule->has_info && pick(4) == 0 ? (int)pick(rule->count) : -1;
	out[0] = '\0';
	for (i = 0; i < rule->count; i++) {
		rule->first[i] = rule->last[i] = pick_byte();
		snprintf(component, sizeof(component), "%d", rule->first[i]);
		if (i == ranged) {
			rule->last[i] = pick_byte();
			snprintf(component, sizeof(component), "%0*d-%d",
			    (int)pick(4), rule->first[i], rule->last[i]);
		}
		strlcat(out, component, size);
		if (i < 3)
			strlcat(out, ".", size);
	}
}

/* Whether clients' texts may leave out zeros where the prefix has them. */
static int
groups_vanish(const uint8_t *bytes, int count)
{
	const uint8_t	zeros[4] = { 0, 0, 0, 0 };
	int		i;

	for (i = 0; i + 1 < count; i++)
		if (memcmp(bytes + i * 2, zeros, 4) == 0)
			return (1);
	return (memcmp(bytes + (count - 1) * 2, zeros, 2) == 0);
}

static void
v6_text_make(struct model_rule *rule, char *out, size_t size)
{
	do {
		pick_v6(rule->bytes);
		rule->count = 1 + pick(7);
	} while (groups_vanish(rule->bytes, rule->count));
	groups_spell(rule->bytes, rule->count, out, size);
}

static void
net_make(struct model_rule *rule, char *out, size_t size)
{
	char	ip[64];

	if (rule->kind == KIND_NET4) {
		for (int i = 0; i < 4; i++)
			rule->bytes[i] = pick_byte();
		inet_ntop(AF_INET, rule->bytes, ip, sizeof(ip));
		rule->bits = pick(33);
	} else {
		pick_v6(rule->bytes);
		v6_spell(rule->bytes, ip, sizeof(ip));
		rule->bits = pick(129);
	}
	snprintf(out, size, pick(4) == 0 && rule->kind == KIND_NET6 ?
	    "[%s]/%d" : "%s/%d", ip, rule->bits);
}

static void
address_make(struct model_rule *rule, char *out, size_t size)
{
	char	ip[64];

	switch (rule->kind) {
	case KIND_V4:
		v4_make(rule, out, size);
		break;
	case KIND_V6:
		pick_v6(rule->bytes);
		v6_spell(rule->bytes, ip, sizeof(ip));
		snprintf(out, size, pick(3) == 0 ? "[%s]" : "%s", ip);
		break;
	case KIND_V6_TEXT:
		v6_text_make(rule, out, size);
		break;
	case KIND_NET4:
	case KIND_NET6:
		net_make(rule, out, size);
		break;
	case KIND_HOST:
		pick_host(rule->name, sizeof(rule->name));
		snprintf(out, size, "=%s", rule->name);
		break;
	case KIND_SUFFIX:
		rule->name[0] = '.';
		pick_host(rule->name + 1, sizeof(rule->name) - 1);
		snprintf(out, size, "=%s", rule->name);
		break;
	case KIND_ANY_HOST:
		snprintf(out, size, "=");
		break;
	default:
		out[0] = '\0';
	}
}

static void
rules_make(void)
{
	struct model_rule	*rule;
	char			 address[128], line[256];
	size_t			 i;

	text[0] = '\0';
	model_count = 1 + pick(RULES_MAX);
	for (i = 0; i < model_count; i++) {
		rule = &model[i];
		memset(rule, 0, sizeof(*rule));
		rule->kind = pick(KIND_COUNT);
		rule->deny = pick(2);
		if (rule->kind == KIND_V4 || rule->kind == KIND_V6 ||
		    rule->kind == KIND_HOST)
			pick_info(rule->info, &rule->has_info);
		address_make(rule, address, sizeof(address));
		snprintf(line, sizeof(line), "%s%s%s:%s,N=\"%zu\"%s\n",
		    rule->has_info ? rule->info : "",
		    rule->has_info ? "@" : "", address,
		    rule->deny ? "deny" : "allow", i, pick(5) ? "" : " \t ");
		strlcat(text, line, sizeof(text));
		if (pick(20) == 0)
			strlcat(text, "# 1.:deny\n\n   \nno rule\n",
			    sizeof(text));
	}
}

static void
client_make(struct model_client *client)
{
	int	i;

	memset(client, 0, sizeof(*client));
	if (pick(2) == 0) {
		client->family = AF_INET;
		for (i = 0; i < 4; i++)
			client->bytes[i] = pick_byte();
	} else {
		client->family = AF_INET6;
		pick_v6(client->bytes);
	}
	inet_ntop(client->family, client->bytes, client->ip,
	    sizeof(client->ip));
	pick_host(client->host, sizeof(client->host));
	client->has_host = pick(2);
	pick_info(client->info, &client->has_info);
}

/* The rank of a step; within a step, longer goes before shorter. */
#define RANK(step, length)	((10 - (step)) * 1000 + (length))

static int
v4_rank(const struct model_rule *rule, const struct model_client *client)
{
	char	octet[8];
	int	i, len;

	if (client->family != AF_INET)
		return (0);
	for (i = len = 0; i < rule->count; i++) {
		if (client->bytes[i] < rule->first[i] ||
		    client->bytes[i] > rule->last[i])
			return (0);
		len += snprintf(octet, sizeof(octet), "%d", client->bytes[i]);
	}
	if (rule->count < 4)
		return (rule->has_info ? 0 : RANK(5, len));
	return (rule->has_info ? RANK(1, 0) : RANK(3, 0));
}

static int
host_rank(const struct model_rule *rule, const struct model_client *client)
{
	size_t	host_len, len;

	if (!client->has_host)
		return (0);
	if (strcmp(rule->name, client->host) == 0)
		return (rule->has_info ? RANK(2, 0) : RANK(4, 0));
	/* "=.x" and "=" are suffix rules however they came about. */
	len = strlen(rule->name);
	host_len = strlen(client->host);
	if (rule->has_info || len > host_len)
		return (0);
	if (len == 0)
		return (RANK(8, 0));
	if (rule->name[0] == '.' &&
	    strcmp(client->host + host_len - len, rule->name) == 0)
		return (RANK(7, len));
	return (0);
}

/* How good a rule is for a client; 0: does not fit. */
static int
rule_rank(const struct model_rule *rule, const struct model_client *client)
{
	int	i, len;

	if (rule->has_info && (!client->has_info ||
	    strcmp(rule->info, client->info) != 0))
		return (0);
	switch (rule->kind) {
	case KIND_V4:
		return (v4_rank(rule, client));
	case KIND_V6:
		if (client->family != AF_INET6 ||
		    memcmp(rule->bytes, client->bytes, 16) != 0)
			break;
		return (rule->has_info ? RANK(1, 0) : RANK(3, 0));
	case KIND_V6_TEXT:
		if (client->family != AF_INET6)
			break;
		if (!bits_equal(rule->bytes, client->bytes, rule->count * 16))
			break;
		for (i = len = 0; i < rule->count; i++)
			len += snprintf(NULL, 0, "%x:",
			    rule->bytes[i * 2] << 8 | rule->bytes[i * 2 + 1]);
		return (RANK(5, len));
	case KIND_NET4:
	case KIND_NET6:
		if (client->family != (rule->kind == KIND_NET4 ? AF_INET :
		    AF_INET6) ||
		    !bits_equal(rule->bytes, client->bytes, rule->bits))
			break;
		return (RANK(6, rule->bits));
	case KIND_HOST:
	case KIND_SUFFIX:
	case KIND_ANY_HOST:
		return (host_rank(rule, client));
	case KIND_EMPTY:
		return (RANK(9, 0));
	default:
		break;
	}
	return (0);
}

/*
 * An IPv6 address that ends in "::" is also a text prefix: its key is the
 * same.  So such a rule fits longer addresses, too.
 */
static int
v6_prefix_rank(const struct model_rule *rule,
    const struct model_client *client)
{
	char	ip[INET6_ADDRSTRLEN];
	size_t	len;

	if (rule->kind != KIND_V6 || rule->has_info ||
	    client->family != AF_INET6)
		return (0);
	inet_ntop(AF_INET6, rule->bytes, ip, sizeof(ip));
	len = strlen(ip);
	if (ip[len - 1] != ':' || strncmp(client->ip, ip, len) != 0)
		return (0);
	return (RANK(5, (int)len));
}

static int
model_judge(const struct model_client *client)
{
	size_t	i;
	int	best, best_rank, rank;

	best = -1;
	best_rank = 0;
	for (i = 0; i < model_count; i++) {
		rank = rule_rank(&model[i], client);
		if (rank == 0)
			rank = v6_prefix_rank(&model[i], client);
		if (rank > best_rank) {
			best_rank = rank;
			best = i;
		}
	}
	return (best);
}

/* The number in the N variable, denials' included. */
static int
rule_number(void)
{
	const uint8_t	*data = verdict.data;
	size_t		 len = verdict.data_len;

	if (verdict.answer == ACCESS_DEFAULT)
		return (-1);
	if (verdict.answer == ACCESS_DENY) {
		data += 2;
		len -= 2;
	}
	ATF_REQUIRE(len > 3 && memcmp(data, "+N=", 3) == 0);
	return (atoi((const char *)data + 3));
}

static void
client_check(const struct access *rules, uint64_t seed)
{
	struct model_client	 client;
	struct access_client	 asked;
	int			 got, wanted;

	client_make(&client);
	asked.family = client.family;
	asked.bytes = client.bytes;
	asked.ip = client.ip;
	asked.host = client.has_host ? client.host : NULL;
	asked.info = client.has_info ? client.info : NULL;
	ATF_REQUIRE_EQ(0, access_check(rules, &asked, &verdict));
	got = rule_number();
	wanted = model_judge(&client);
	if (got == wanted && (wanted == -1 ||
	    (verdict.answer == ACCESS_DENY) == model[wanted].deny))
		return;
	printf("%s", text);
	atf_tc_fail("ACCESS_SEED=%" PRIu64 ": %s host %s info %s: rule %d, "
	    "not %d", seed, client.ip, client.has_host ? client.host : "-",
	    client.has_info ? client.info : "-", got, wanted);
}

/*
 * Three databases of the same rules: with the record of lengths, and
 * without it before and after the lengths were learnt.
 */
static void
lengths_record_hide(void)
{
	static uint8_t	base[65536];
	FILE		*fp;
	size_t		 i, len;

	ATF_REQUIRE((fp = fopen(DB_FILE, "r")) != NULL);
	len = fread(base, 1, sizeof(base), fp);
	ATF_REQUIRE(feof(fp));
	fclose(fp);
	for (i = 2048; i + 8 < len; i++)
		if (memcmp(base + i, "/lengths", 8) == 0)
			base[i] = '!';
	file_write(DB_FILE, base, len);
}

static void
seed_run(uint64_t seed)
{
	struct access	*rules;
	int		 i, way;

	state = seed;
	rules_make();
	if (db_compile(text) != COMPILE_DONE) {
		printf("%s", text);
		atf_tc_fail("ACCESS_SEED=%" PRIu64 ": does not compile",
		    seed);
	}
	for (way = 0; way < 3; way++) {
		if (way == 1)
			lengths_record_hide();
		rules = db_open();
		if (way == 2)
			ATF_REQUIRE_EQ(0, access_lengths_learn(rules));
		for (i = 0; i < CLIENTS; i++)
			client_check(rules, seed);
		access_close(rules);
	}
}

ATF_TC_WITHOUT_HEAD(linear_model);
ATF_TC_BODY(linear_model, tc)
{
	const char	*given;
	uint64_t	 i, start;

	if ((given = getenv("ACCESS_SEED")) != NULL) {
		seed_run(strtoull(given, NULL, 10));
		return;
	}
	/* Some that never change, some that were never tried. */
	start = (uint64_t)arc4random() << 20;
	for (i = 0; i < SEEDS; i++) {
		seed_run(i);
		seed_run(start + i);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, linear_model);
	return (atf_no_error());
}
