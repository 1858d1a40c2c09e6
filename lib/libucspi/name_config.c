/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The classic resolver configuration: DNS servers and rewrite rules, from
 * the environment and the system's files.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ucspi_name.h"

#define RESOLV_FILE		"/etc/resolv.conf"
#define REWRITE_FILE		"/etc/dnsrewrite"
#define CONFIG_FILE_BYTES_MAX	65536
#define HOST_NAME_SIZE		256
#define BLANKS			" \t"

/*
 * Reads a whole file, NUL-terminated.  NULL with errno 0: there is no such
 * file.
 */
static char *
file_read(const char *path)
{
	char	*text = NULL;
	size_t	 len = 0;
	ssize_t	 n;
	int	 fd, saved;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		if (errno == ENOENT)
			errno = 0;
		return (NULL);
	}
	if ((text = malloc(CONFIG_FILE_BYTES_MAX + 1)) == NULL)
		goto fail;
	while ((n = read(fd, text + len, CONFIG_FILE_BYTES_MAX + 1 - len)) !=
	    0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			goto fail;
		if ((len += (size_t)n) > CONFIG_FILE_BYTES_MAX) {
			errno = EFBIG;
			goto fail;
		}
	}
	(void)close(fd);
	text[len] = '\0';
	return (text);
fail:
	saved = errno;
	free(text);
	(void)close(fd);
	errno = saved;
	return (NULL);
}

static int
quad_is_zero(const struct netaddr *addr)
{
	static const uint8_t	zero[4];

	return (memcmp(addr->bytes, zero, sizeof(zero)) == 0);
}

static void
server_add(struct name_config *config, const struct netaddr *addr)
{
	if (config->server_count < NAME_SERVERS_MAX)
		config->servers[config->server_count++] = *addr;
}

/* $DNSCACHEIP: addresses one after the other, dots between allowed. */
static void
servers_from_cache_ip(struct name_config *config, const char *s)
{
	struct netaddr	addr;

	while (config->server_count < NAME_SERVERS_MAX) {
		while (*s == '.')
			s++;
		if ((s = netaddr_scan(&addr, s)) == NULL)
			break;
		server_add(config, &addr);
	}
}

/*
 * If line begins with word and a blank, returns what follows the blanks.
 * The classic programs know neither leading blanks nor comments here.
 */
static char *
line_argument(char *line, const char *word)
{
	size_t	len;

	len = strlen(word);
	if (strncmp(line, word, len) != 0 || strcspn(line + len, BLANKS) != 0 ||
	    line[len] == '\0')
		return (NULL);
	return (line + len + strspn(line + len, BLANKS));
}

static void
servers_from_resolv(struct name_config *config, const char *text)
{
	struct netaddr	 addr, v6[NAME_SERVERS_MAX];
	char		*copy, *line, *rest, *word;
	unsigned int	 count6 = 0, i;

	if ((copy = rest = strdup(text)) == NULL) {
		config->servers_error = errno;
		return;
	}
	while ((line = strsep(&rest, "\n")) != NULL) {
		if ((word = line_argument(line, "nameserver")) == NULL)
			continue;
		if (netaddr_scan(&addr, word) != NULL) {
			if (!quad_is_zero(&addr))
				server_add(config, &addr);
			continue;
		}
		word[strcspn(word, BLANKS "\r")] = '\0';
		if (count6 < NAME_SERVERS_MAX &&
		    netaddr_parse(&addr, word) == 0)
			v6[count6++] = addr;
	}
	free(copy);
	/*
	 * The classic programs pass over IPv6 servers.  Where there are
	 * only such, they would ask 127.0.0.1, where nobody answers.
	 */
	for (i = 0; config->server_count == 0 && i < count6; i++)
		config->servers[i] = v6[i];
	if (config->server_count == 0)
		config->server_count = i;
}

static void
servers_default(struct name_config *config)
{
	struct netaddr	addr;

	if (netaddr_parse(&addr, "127.0.0.1") == 0)
		server_add(config, &addr);
}

static int
rule_append(struct name_config *config, const char *rule, size_t len)
{
	char	*rules;

	rules = realloc(config->rules, config->rules_len + len + 1);
	if (rules == NULL)
		return (-1);
	config->rules = rules;
	memcpy(rules + config->rules_len, rule, len);
	rules[config->rules_len + len] = '\0';
	config->rules_len += len + 1;
	return (0);
}

static int
rules_from_file(struct name_config *config, const char *text)
{
	size_t	len, line;

	for (; *text != '\0'; text += line + (text[line] == '\n')) {
		line = len = strcspn(text, "\n");
		while (len > 0 && (text[len - 1] == ' ' ||
		    text[len - 1] == '\t' || text[len - 1] == '\r'))
			len--;
		if (len > 0 && rule_append(config, text, len) == -1)
			return (-1);
	}
	return (0);
}

/*
 * The built-in lists: a name without a dot is tried in each domain, then a
 * trailing dot is stripped.  domains are separated by single bytes of seps.
 */
static int
rules_from_domains(struct name_config *config, const char *domains,
    const char *seps, int skip_empty)
{
	char	*rule, *p;
	size_t	 len;
	int	 result;

	/* At most "?:" and, per byte, one that becomes "+.". */
	if ((rule = malloc(3 * strlen(domains) + 5)) == NULL)
		return (-1);
	memcpy(rule, "?:", 2);
	p = rule + 2;
	for (;;) {
		len = strcspn(domains, seps);
		if (len > 0 || !skip_empty) {
			*p++ = '+';
			*p++ = '.';
			memcpy(p, domains, len);
			p += len;
		}
		if (domains[len] == '\0')
			break;
		domains += len + 1;
	}
	result = rule_append(config, rule, (size_t)(p - rule));
	free(rule);
	if (result == 0)
		result = rule_append(config, "*.:", 3);
	return (result);
}

/* The first search or domain line; NULL if none has a domain. */
static char *
resolv_search(char *text)
{
	char	*domains, *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		if ((domains = line_argument(line, "search")) == NULL)
			domains = line_argument(line, "domain");
		if (domains != NULL && domains[strspn(domains, BLANKS "\r")] !=
		    '\0')
			return (domains);
	}
	return (NULL);
}

static int
rules_from_system(struct name_config *config, char *resolv,
    const char *host_name)
{
	const char	*domain;
	char		*domains;

	if (resolv != NULL && (domains = resolv_search(resolv)) != NULL)
		return (rules_from_domains(config, domains, BLANKS "\r", 1));
	if (host_name != NULL && (domain = strchr(host_name, '.')) != NULL)
		return (rules_from_domains(config, domain + 1, "", 0));
	return (rule_append(config, "*.:", 3));
}

static int
rules_read(struct name_config *config, const struct name_source *source,
    char *resolv)
{
	char	*text;
	int	 result;

	text = file_read(source->rewrite_file);
	if (text == NULL && errno != 0) {
		config->rules_error = errno;
		return (errno == ENOMEM ? -1 : 0);
	}
	if (text != NULL) {
		result = rules_from_file(config, text);
		free(text);
		return (result);
	}
	if (source->local_domain != NULL)
		return (rules_from_domains(config, source->local_domain, " ",
		    0));
	if (config->servers_error != 0 && resolv == NULL) {
		config->rules_error = config->servers_error;
		return (0);
	}
	return (rules_from_system(config, resolv, source->host_name));
}

int
name_config_read(struct name_config *config, const struct name_source *source)
{
	char	*resolv;
	int	 result;

	memset(config, 0, sizeof(*config));
	resolv = file_read(source->resolv_file);
	if (resolv == NULL)
		config->servers_error = errno;
	if (source->cache_ip != NULL)
		servers_from_cache_ip(config, source->cache_ip);
	if (config->server_count == 0 && resolv != NULL)
		servers_from_resolv(config, resolv);
	result = rules_read(config, source, resolv);
	free(resolv);

	/* What is set by hand needs no file. */
	if (config->server_count > 0)
		config->servers_error = 0;
	else if (config->servers_error == 0)
		servers_default(config);
	if (result == -1) {
		name_config_free(config);
		errno = ENOMEM;
	}
	return (result);
}

int
name_config_load(struct name_config *config)
{
	struct name_source	source;
	char			host_name[HOST_NAME_SIZE];

	source.cache_ip = getenv("DNSCACHEIP");
	if ((source.rewrite_file = getenv("DNSREWRITEFILE")) == NULL)
		source.rewrite_file = REWRITE_FILE;
	source.local_domain = getenv("LOCALDOMAIN");
	source.resolv_file = RESOLV_FILE;
	source.host_name = NULL;
	if (gethostname(host_name, sizeof(host_name)) == 0) {
		host_name[sizeof(host_name) - 1] = '\0';
		source.host_name = host_name;
	}
	return (name_config_read(config, &source));
}

void
name_config_free(struct name_config *config)
{
	free(config->rules);
	memset(config, 0, sizeof(*config));
}
