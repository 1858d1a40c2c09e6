/*
 * A real engine, between a parent and launchers that the test plays: what
 * launchers say late, twice, wrongly or about others may cost their own
 * service, never another one and never the engine.
 */
#include "process.h"

#include "../../../libexec/tcpserverd-resolver/resolver.h"

#define GENERATION	((uint64_t)5 << 32)
#define LAUNCHER	7

static int		listener[2];	/* of each service */
static uint16_t		port[2];
static int		starts2[2], reports2[2];	/* of service 1 */
static uint32_t		resolver_number = 30;

static void
service_give(uint32_t id, uint64_t max, uint32_t flags, int starts[2],
    int reports[2])
{
	struct service_settings	set;
	struct listener_note	note;

	memset(&set, 0, sizeof(set));
	strlcpy(set.name, "tcpserver", sizeof(set.name));
	set.flags = SERVICE_CLASSIC | flags;
	set.log_level = LOG_LEVEL_VERBOSE;
	set.sessions_max = max;
	set.generation = GENERATION;
	strlcpy(set.local_name, "here", sizeof(set.local_name));
	say(IMSG_ENGINE_SERVICE, id, &set, sizeof(set));
	listener[id] = listener_open(&port[id]);
	memset(&note, 0, sizeof(note));
	note.number = id;
	fd_give(IMSG_ENGINE_LISTENER, id, listener[id], &note, sizeof(note));
	fd_give(IMSG_ENGINE_STARTS, id, starts[0], NULL, 0);
	fd_give(IMSG_ENGINE_REPORTS, id, reports[0], NULL, 0);
}

static void
begin_configured(uint64_t max, uint32_t flags, int services)
{
	process_begin("engine");
	hear_word(IMSG_PRIVSEP_HELLO);
	service_give(0, max, flags, tp_.starts, tp_.reports);
	if (services == 2) {
		pair_open(starts2);
		pair_open(reports2);
		service_give(1, max, flags, starts2, reports2);
	}
	say(IMSG_ENGINE_CONFIGURED, 0, NULL, 0);
	hear_word(IMSG_PARENT_READY);
}

static void
report_to(int fd, uint32_t type, uint64_t id, pid_t pid, int status)
{
	struct report_session	r;
	struct pollfd		p = { .fd = fd, .events = POLLOUT };
	struct imsg		imsg;
	size_t			len;

	memset(&r, 0, sizeof(r));
	r.report.type = type;
	r.report.launcher = LAUNCHER;
	r.report.id = id;
	r.report.pid = pid;
	r.report.status = status;
	len = type == REPORT_SESSION ? sizeof(r) : sizeof(r.report);
	while (send(fd, &r, len, MSG_DONTWAIT | MSG_NOSIGNAL) == -1) {
		ATF_REQUIRE(errno == EAGAIN);
		ATF_REQUIRE(poll(&p, 1, WAIT_MS) == 1);
		if (hear_once(&imsg, 0) == 1)
			imsg_free(&imsg);
	}
}

static void
report(uint32_t type, uint64_t id, pid_t pid, int status)
{
	report_to(tp_.reports[1], type, id, pid, status);
}

static void
sync_order(uint32_t service, uint32_t number, uint32_t launchers)
{
	struct sync_order	order = { number, launchers }, told;
	struct imsg		imsg;

	say(IMSG_ENGINE_SYNC, service, &order, sizeof(order));
	hear(IMSG_PARENT_SYNCING, &imsg);
	ATF_CHECK_EQ(service, imsg_get_id(&imsg));
	ATF_REQUIRE(imsg_get_data(&imsg, &told, sizeof(told)) == 0);
	ATF_CHECK(told.number == number && told.launchers == launchers);
	imsg_free(&imsg);
}

/* One service that accepts. */
static void
begin(uint64_t max)
{
	begin_configured(max, SERVICE_LOCAL_NAME, 1);
	sync_order(0, 1, 1);
	report(REPORT_SYNCED, 1, 0, 0);
}

static void
begin_two(uint64_t max)
{
	begin_configured(max, SERVICE_LOCAL_NAME, 2);
	sync_order(0, 1, 1);
	sync_order(1, 1, 1);
	report(REPORT_SYNCED, 1, 0, 0);
	report_to(reports2[1], REPORT_SYNCED, 1, 0, 0);
}

static int
client_of(int service)
{
	return (client_open(port[service]));
}

static uint64_t
start_wait(void)
{
	return (start_wait_from(tp_.starts[1]).id);
}

static void
start_none(int fd, int ms)
{
	char		packet[START_RECORD_MAX];
	struct imsg	imsg;
	int64_t		end = clock_ms() + ms;
	int		client;

	while (clock_ms() < end) {
		if (start_get(fd, &client, packet, sizeof(packet)) != 0)
			fail("a start came");
		if (hear_once(&imsg, 5) == 1)
			imsg_free(&imsg);
	}
	alive_check();
}

ATF_TC_WITHOUT_HEAD(a_session);
ATF_TC_BODY(a_session, tc)
{
	char			packet[START_RECORD_MAX], c = 'x';
	struct start_record	r;
	struct imsg		imsg;
	uint64_t		id;
	int			fd, client;

	begin_configured(2, SERVICE_LOCAL_NAME, 1);
	fd = client_of(0);
	start_none(tp_.starts[1], 100);		/* not before the sync */
	sync_order(0, 1, 1);
	start_none(tp_.starts[1], 50);
	report(REPORT_SYNCED, 1, 0, 0);
	while ((id = start_get(tp_.starts[1], &client, packet,
	    sizeof(packet))) == 0)
		if (hear_once(&imsg, 5) == 1)
			imsg_free(&imsg);
	memcpy(&r, packet, sizeof(r));
	ATF_CHECK(id > GENERATION);
	ATF_CHECK_EQ(AF_INET, r.remote.family);
	ATF_CHECK(memcmp(r.remote.bytes, "\177\0\0\1", 4) == 0);
	ATF_CHECK_EQ(port[0], r.local_port);
	ATF_CHECK_EQ(5, r.local_name_len);
	ATF_CHECK_EQ(0, r.remote_name_len + r.info_len + r.variables_len);
	ATF_CHECK_STREQ("here", packet + sizeof(r));
	/* It is that client. */
	ATF_REQUIRE(write(client, &c, 1) == 1 && read(fd, &packet, 1) == 1);
	report(REPORT_STARTED, id, 4711, 0);
	report(REPORT_ENDED, id, 4711, 256);
	log_expect("tcpserver: status: 1/2\ntcpserver: end 4711 status 256\n"
	    "tcpserver: status: 0/2\n");
	process_end();
}

ATF_TC_WITHOUT_HEAD(limit);
ATF_TC_BODY(limit, tc)
{
	uint64_t	id[3];

	begin(2);
	client_of(0);
	client_of(0);
	client_of(0);
	id[0] = start_wait();
	id[1] = start_wait();
	start_none(tp_.starts[1], 300);
	report(REPORT_STARTED, id[0], 1001, 0);
	start_none(tp_.starts[1], 100);
	report(REPORT_ENDED, id[0], 1001, 0);
	id[2] = start_wait();
	ATF_CHECK(id[0] < id[1] && id[1] < id[2]);
	ATF_CHECK_EQ(0, log_count("status: 3/2"));
	process_end();
}

ATF_TC_WITHOUT_HEAD(late_and_twice);
ATF_TC_BODY(late_and_twice, tc)
{
	uint64_t	a, b;

	begin(3);
	client_of(0);
	client_of(0);
	a = start_wait();
	b = start_wait();
	/* The end overtakes the start; both come twice. */
	report(REPORT_ENDED, a, 1001, 0);
	report(REPORT_STARTED, a, 1001, 0);
	report(REPORT_ENDED, a, 1001, 0);
	report(REPORT_STARTED, a, 1001, 0);
	report(REPORT_FAILED, a, 0, ENOMEM);
	report(REPORT_STARTED, b, 1002, 0);
	report(REPORT_STARTED, b, 1003, 0);	/* it stays the first */
	report(REPORT_FAILED, b, 0, ENOMEM);	/* too late to fail */
	report(REPORT_ENDED, b, 1003, 512);
	log_expect("end 1002 status 512\ntcpserver: status: 0/3\n");
	ATF_CHECK_EQ(1, log_count("end 1001 "));
	ATF_CHECK_EQ(1, log_count("status: 0/3"));
	ATF_CHECK_EQ(0, log_count("unable to fork"));
	process_end();
}

ATF_TC_WITHOUT_HEAD(start_failed);
ATF_TC_BODY(start_failed, tc)
{
	begin(1);
	client_of(0);
	report(REPORT_FAILED, start_wait(), 0, EAGAIN);
	log_expect("tcpserver: warning: dropping connection, unable to fork: "
	    "temporary failure\ntcpserver: status: 0/1\n");
	client_of(0);
	report(REPORT_FAILED, start_wait(), -5, -1234567);
	log_expect("unable to fork: unknown error\n");
	client_of(0);
	(void)start_wait();
	process_end();
}

ATF_TC_WITHOUT_HEAD(impossible_pids);
ATF_TC_BODY(impossible_pids, tc)
{
	static const pid_t	pids[] = { 0, -1, -1001, INT_MIN };
	uint64_t		id;
	size_t			i;

	begin(1);
	client_of(0);
	id = start_wait();
	for (i = 0; i < nitems(pids); i++)
		report(REPORT_STARTED, id, pids[i], 0);
	report(REPORT_SESSION, id, -1, 0);
	report(REPORT_STARTED, id, INT_MAX, 0);
	report(REPORT_ENDED, id, -1, INT_MIN);
	log_expect("tcpserver: end 2147483647 status -2147483648\n"
	    "tcpserver: status: 0/1\n");
	process_end();
}

static long
rss_kb(pid_t pid)
{
	char	 path[64], line[256];
	FILE	*f;
	long	 kb = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		return (-1);
	while (kb == -1 && fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "VmRSS: %ld", &kb);
	fclose(f);
	return (kb);
}

/* Sessions that never were, kinds that are not, lengths that are wrong. */
ATF_TC_WITHOUT_HEAD(flood_of_nonsense);
ATF_TC_BODY(flood_of_nonsense, tc)
{
	char		junk[64];
	uint64_t	i;
	long		before, after;

	begin(10);
	client_of(0);
	(void)start_wait();
	before = rss_kb(tp_.pid);
	memset(junk, 0xa5, sizeof(junk));
	for (i = 0; i < 20000; i++) {
		report(REPORT_STARTED, GENERATION + 1000 + i, 2000 + (int)i,
		    0);
		report(REPORT_SESSION, i, 2000 + (int)i, 0);
		report((uint32_t)i, ~i, -1, -1);
		report(REPORT_ENDED, i, 3, 3);
		report(REPORT_SYNCED, i, 3, 3);
		if (i % 50 == 0)
			(void)send(tp_.reports[1], junk, i % 64,
			    MSG_DONTWAIT);
	}
	/* Nothing of that counts; it serves on, and says little about it. */
	client_of(0);
	(void)start_wait();
	log_expect("status: 2/10");
	ATF_CHECK_EQ(0, log_count("status: 3/10"));
	ATF_CHECK(log_count("not understood") >= 1);
	ATF_CHECK_MSG(log_count("\n") < 50, "%u lines", log_count("\n"));
	after = rss_kb(tp_.pid);
	ATF_CHECK_MSG(after - before < 4096, "%ld kB, then %ld", before,
	    after);
	process_end();
}

/* After a death of the engine: launchers tell what there is. */
ATF_TC_WITHOUT_HEAD(adopted);
ATF_TC_BODY(adopted, tc)
{
	uint64_t	i;

	begin_configured(5, SERVICE_LOCAL_NAME, 1);
	sync_order(0, 1, 1);
	client_of(0);
	/* None that only we could have let in: they were not there. */
	for (i = 1; i <= 5; i++)
		report(REPORT_SESSION, GENERATION + i, 8000 + (int)i, 0);
	/* One by its start, which was still in the queue. */
	report(REPORT_STARTED, GENERATION - 100, 5000, 0);
	for (i = 0; i < 4; i++)
		report(REPORT_SESSION, GENERATION - 50 + i, 5001 + (int)i, 0);
	/* There can't have been more than the limit. */
	for (i = 0; i < 3000; i++)
		report(REPORT_SESSION, i, 6000 + (int)i, 0);
	report(REPORT_SESSION, GENERATION - 100, 5000, 0);
	report(REPORT_SYNCED, 1, 0, 0);
	start_none(tp_.starts[1], 200);
	report(REPORT_ENDED, GENERATION - 49, 5002, 0);
	log_expect("tcpserver: end 5002 status 0\ntcpserver: status: 4/5\n");
	ATF_CHECK(start_wait() > GENERATION);
	process_end();
}

ATF_TC_WITHOUT_HEAD(sync_numbers);
ATF_TC_BODY(sync_numbers, tc)
{
	begin_configured(5, SERVICE_LOCAL_NAME, 1);
	client_of(0);
	report(REPORT_SYNCED, 0, 0, 0);		/* nobody asked yet */
	report(REPORT_SYNCED, 2, 0, 0);
	hear_nothing(100);
	sync_order(0, 2, 2);
	report(REPORT_SYNCED, 1, 0, 0);
	report(REPORT_SYNCED, 3, 0, 0);
	report(REPORT_SYNCED, UINT64_MAX, 0, 0);
	report(REPORT_SYNCED, (uint64_t)2 + ((uint64_t)1 << 32), 0, 0);
	report(REPORT_SYNCED, 2, 0, 0);
	start_none(tp_.starts[1], 200);		/* one of two */
	/* Someone died: it begins anew. */
	sync_order(0, 3, 1);
	report(REPORT_SYNCED, 2, 0, 0);
	start_none(tp_.starts[1], 100);
	report(REPORT_SYNCED, 3, 0, 0);
	(void)start_wait();
	process_end();
}

/* What the dead launcher had: starts that are lost, programs that live. */
ATF_TC_WITHOUT_HEAD(launcher_died);
ATF_TC_BODY(launcher_died, tc)
{
	struct session_note	note;
	struct imsg		imsg;
	uint64_t		lost, lives, seen;

	begin(4);
	client_of(0);
	client_of(0);
	client_of(0);
	lost = start_wait();
	lives = start_wait();
	seen = start_wait();
	ATF_CHECK(lost != 0);
	report(REPORT_STARTED, lives, 4001, 0);
	report(REPORT_STARTED, seen, 4002, 0);
	sync_order(0, 2, 1);
	report(REPORT_SESSION, seen, 4002, 0);
	report(REPORT_SYNCED, 2, 0, 0);
	hear(IMSG_PARENT_ORPHAN, &imsg);
	ATF_REQUIRE(imsg_get_data(&imsg, &note, sizeof(note)) == 0);
	ATF_CHECK(note.id == lives && note.pid == 4001);
	imsg_free(&imsg);
	log_expect("unable to fork: connection aborted\n"
	    "tcpserver: status: 2/4\n");
	memset(&note, 0, sizeof(note));
	note.pid = 4001;
	note.status = 9;
	say(IMSG_ENGINE_REAPED, 0, &note, sizeof(note));
	log_expect("tcpserver: end 4001 status 9\ntcpserver: status: 1/4\n");
	/* Again, and of one that nobody knows. */
	say(IMSG_ENGINE_REAPED, 0, &note, sizeof(note));
	note.pid = 0;
	say(IMSG_ENGINE_REAPED, 0, &note, sizeof(note));
	note.pid = -1;
	say(IMSG_ENGINE_REAPED, 0, &note, sizeof(note));
	hear_nothing(100);
	ATF_CHECK_EQ(0, log_count("status: 0/4"));
	process_end();
}

/*
 * One client whose launcher is silent: another one is wanted, again and
 * again.  Not for a service that has none out, nor one that is told anew.
 */
ATF_TC_WITHOUT_HEAD(launcher_silent);
ATF_TC_BODY(launcher_silent, tc)
{
	struct imsg	imsg;
	int64_t		end;
	int		i;

	begin_two(4);
	client_of(0);
	report(REPORT_STARTED, start_wait(), 4001, 0);
	client_of(1);
	(void)start_wait_from(starts2[1]);
	for (i = 0; i < 2; i++) {
		tp_.wanted = 0;
		end = clock_ms() + WAIT_MS;
		while (tp_.wanted == 0) {
			ATF_REQUIRE_MSG(clock_ms() < end, "none is wanted");
			if (hear_once(&imsg, 50) == 1)
				imsg_free(&imsg);
		}
		ATF_CHECK_EQ(1U << 1, tp_.wanted);
	}
	sync_order(1, 2, 1);
	tp_.wanted = 0;
	hear_nothing(4500);
	ATF_CHECK_EQ(0, tp_.wanted);
	process_end();
}

/* Another queue, also for who did not find room in the one before. */
ATF_TC_WITHOUT_HEAD(queue_renewed);
ATF_TC_BODY(queue_renewed, tc)
{
	char		packet[START_RECORD_MAX];
	uint64_t	first;
	int		i, client, sent = 0, renewed[2];

	begin(START_CREDIT);
	/* Nobody reads: it fills up, or the credit is used up. */
	for (i = 0; i < START_CREDIT; i++)
		client_of(0);
	first = start_wait();
	pair_open(renewed);
	say_fd(IMSG_ENGINE_STARTS, 0, renewed[0], NULL, 0);
	say(IMSG_ENGINE_CONFIGURED, 0, NULL, 0);
	/* That is its copy; without ours the one before has an end. */
	sync_order(0, 2, 1);
	close(tp_.starts[0]);
	report(REPORT_SYNCED, 2, 0, 0);
	while (recv(tp_.starts[1], packet, sizeof(packet),
	    MSG_PEEK | MSG_DONTWAIT) > 0) {
		ATF_REQUIRE(start_get(tp_.starts[1], &client, packet,
		    sizeof(packet)) != 0);
		close(client);
		sent++;
	}
	ATF_CHECK_EQ(0, recv(tp_.starts[1], packet, sizeof(packet),
	    MSG_DONTWAIT));
	for (i = 1 + sent; i < START_CREDIT; i++)
		ATF_CHECK(start_wait_from(renewed[1]).id > first);
	report(REPORT_STARTED, first, 4001, 0);
	report(REPORT_ENDED, first, 4001, 0);
	client_of(0);
	(void)start_wait_from(renewed[1]);
	process_end();
}

/* The report of the start is far behind in the queue when the end comes. */
ATF_TC_WITHOUT_HEAD(end_overtakes_queue);
ATF_TC_BODY(end_overtakes_queue, tc)
{
	struct session_note	note;
	struct report		r;
	uint64_t		id;
	int			n = 0;

	begin(4);
	client_of(0);
	id = start_wait();
	ATF_REQUIRE(kill(tp_.pid, SIGSTOP) == 0);
	/* First, so that it is met first. */
	memset(&note, 0, sizeof(note));
	note.pid = 4001;
	say(IMSG_ENGINE_REAPED, 0, &note, sizeof(note));
	memset(&r, 0, sizeof(r));
	r.type = REPORT_SYNCED;
	while (n < 260 && send(tp_.reports[1], &r, sizeof(r),
	    MSG_DONTWAIT) == sizeof(r))
		n++;
	r.type = REPORT_STARTED;
	r.id = id;
	r.pid = 4001;
	if (send(tp_.reports[1], &r, sizeof(r), MSG_DONTWAIT) != sizeof(r)) {
		process_end();
		atf_tc_skip("a queue holds only %d reports here", n);
	}
	ATF_REQUIRE(kill(tp_.pid, SIGCONT) == 0);
	log_expect("end 4001 status 0\ntcpserver: status: 0/4\n");
	process_end();
}

/* A launcher may not touch another service, nor stand in its way. */
ATF_TC_WITHOUT_HEAD(other_services);
ATF_TC_BODY(other_services, tc)
{
	struct session_note	note;
	uint64_t		first, other;
	int			i;

	begin_two(200);
	client_of(0);
	first = start_wait();
	report(REPORT_STARTED, first, 4001, 0);
	/* Service 1 would end, rename and claim what is service 0's. */
	report_to(reports2[1], REPORT_ENDED, first, 4001, 0);
	report_to(reports2[1], REPORT_FAILED, first, 0, ENOMEM);
	report_to(reports2[1], REPORT_STARTED, first, 1, 0);
	client_of(1);
	other = start_wait_from(starts2[1]).id;
	report_to(reports2[1], REPORT_STARTED, other, 4001, 0);
	hear_nothing(100);
	ATF_CHECK_EQ(0, log_count("end "));
	/* It claims pids beforehand; service 0 has its credit all the same. */
	for (i = 0; i < START_CREDIT; i++) {
		client_of(1);
		other = start_wait_from(starts2[1]).id;
		report_to(reports2[1], REPORT_STARTED, other, 7000 + i, 0);
	}
	for (i = 0; i < START_CREDIT + 10; i++) {
		client_of(0);
		report(REPORT_STARTED, start_wait(), 7000 + i, 0);
	}
	/* The end of a pid is the end of all who say it is theirs. */
	log_forget();
	memset(&note, 0, sizeof(note));
	note.pid = 4001;
	say(IMSG_ENGINE_REAPED, 0, &note, sizeof(note));
	log_expect("end 4001 status 0");
	hear_nothing(100);
	ATF_CHECK_EQ(2, log_count("end 4001 status 0"));
	process_end();
}

ATF_TC_WITHOUT_HEAD(credit);
ATF_TC_BODY(credit, tc)
{
	uint64_t	first;
	int		i;

	begin(150);
	for (i = 0; i < 100; i++)
		client_of(0);
	first = start_wait();
	for (i = 1; i < START_CREDIT; i++)
		(void)start_wait();
	start_none(tp_.starts[1], 300);
	report(REPORT_STARTED, first, 4001, 0);
	(void)start_wait();
	start_none(tp_.starts[1], 100);
	process_end();
}

/* No sign of life from the parent: nobody is accepted; then they all are. */
ATF_TC_WITHOUT_HEAD(parent_stopped);
ATF_TC_BODY(parent_stopped, tc)
{
	begin(10);
	tp_.silent = 1;
	client_of(0);
	client_of(0);
	start_none(tp_.starts[1], 500);
	tp_.silent = 0;
	say(IMSG_ENGINE_ALIVE, 0, NULL, 0);
	(void)start_wait();
	(void)start_wait();
	process_end();
}

ATF_TC_WITHOUT_HEAD(parent_gone);
ATF_TC_BODY(parent_gone, tc)
{
	int	status;

	begin(10);
	imsgbuf_clear(&tp_.ibuf);
	close(tp_.ibuf.fd);
	status = process_wait();
	ATF_CHECK_MSG(status == 0, "status %#x", status);
}

ATF_TC_WITHOUT_HEAD(told_to_stop);
ATF_TC_BODY(told_to_stop, tc)
{
	int	status;

	begin(10);
	say(IMSG_ENGINE_STOP, 0, NULL, 0);
	status = process_wait();
	ATF_CHECK_MSG(status == 0, "status %#x", status);
}

/*
 * The resolver
 */

static struct imsgbuf	resolver;
static int		resolver_fd;

static void
resolver_give(void)
{
	int	sv[2];

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv) == 0);
	say_fd(IMSG_ENGINE_RESOLVER, ++resolver_number, sv[1], NULL, 0);
	resolver_fd = sv[0];
	ATF_REQUIRE(imsgbuf_init(&resolver, resolver_fd) == 0);
}

/* The number of the question. */
static uint32_t
resolver_asked(void)
{
	struct imsg	imsg;
	int64_t		end = clock_ms() + WAIT_MS;
	struct pollfd	p = { .fd = resolver_fd, .events = POLLIN };
	uint32_t	id;

	while (imsgbuf_get(&resolver, &imsg) == 0) {
		ATF_REQUIRE_MSG(clock_ms() < end, "no question came");
		if (hear_once(&imsg, 5) == 1)
			imsg_free(&imsg);
		if (poll(&p, 1, 5) == 1)
			ATF_REQUIRE(imsgbuf_read(&resolver) == 1);
	}
	ATF_REQUIRE_EQ(IMSG_RESOLVER_LOOKUP, imsg_get_type(&imsg));
	ATF_REQUIRE_EQ(sizeof(struct resolver_lookup), imsg_get_len(&imsg));
	id = imsg_get_id(&imsg);
	imsg_free(&imsg);
	return (id);
}

static void
resolver_says(uint32_t type, uint32_t id, const void *data, size_t len)
{
	ATF_REQUIRE(imsg_compose(&resolver, type, id, 0, -1, data, len) == 1);
	ATF_REQUIRE(imsgbuf_flush(&resolver) == 0);
}

/* The engine wants another one than that. */
static void
resolver_refused(void)
{
	struct imsg	imsg;
	uint32_t	number = 0;

	hear(IMSG_PARENT_RESOLVER_WANTED, &imsg);
	ATF_REQUIRE(imsg_get_data(&imsg, &number, sizeof(number)) == 0);
	ATF_CHECK_EQ(resolver_number, number);
	imsg_free(&imsg);
	imsgbuf_clear(&resolver);
	close(resolver_fd);
}

/* One that is asked, of a service that wants remote names and ident. */
static uint32_t
begin_resolved(void)
{
	begin_configured(5, SERVICE_LOCAL_NAME | SERVICE_REMOTE_NAME |
	    SERVICE_IDENT, 1);
	resolver_give();
	sync_order(0, 1, 1);
	report(REPORT_SYNCED, 1, 0, 0);
	client_of(0);
	return (resolver_asked());
}

static void
start_record_wait(struct start_record *r)
{
	char		packet[START_RECORD_MAX];
	struct imsg	imsg;
	int64_t		end = clock_ms() + WAIT_MS;
	int		client;

	while (start_get(tp_.starts[1], &client, packet,
	    sizeof(packet)) == 0) {
		if (clock_ms() > end)
			fail("no start came");
		if (hear_once(&imsg, 5) == 1)
			imsg_free(&imsg);
	}
	memcpy(r, packet, sizeof(*r));
	close(client);
}

/* What it must not say; another is asked when there is one. */
ATF_TC_WITHOUT_HEAD(resolver_that_lies);
ATF_TC_BODY(resolver_that_lies, tc)
{
	static struct resolver_found	found;
	struct start_record		r;
	uint32_t			id;

	(void)begin_resolved();
	resolver_says(IMSG_RESOLVER_LOOKUP, 1, &found, sizeof(found));
	resolver_refused();
	resolver_give();
	(void)resolver_asked();
	resolver_says(IMSG_RESOLVER_FOUND, 1, &found, sizeof(found) - 1);
	resolver_refused();
	resolver_give();
	(void)resolver_asked();
	ATF_REQUIRE(write(resolver_fd, "220 hello\r\n250 more of it", 25) ==
	    25);
	resolver_refused();
	resolver_give();
	id = resolver_asked();
	/* Answers to questions that nobody asked. */
	resolver_says(IMSG_RESOLVER_FOUND, id + 1, &found, sizeof(found));
	resolver_says(IMSG_RESOLVER_FOUND, 0, &found, sizeof(found));
	start_none(tp_.starts[1], 100);
	/* Strings without an end, and one that was not asked for. */
	memset(&found, 'x', sizeof(found));
	found.found = ~0U;
	resolver_says(IMSG_RESOLVER_FOUND, id, &found, sizeof(found));
	start_record_wait(&r);
	ATF_CHECK_EQ(5, r.local_name_len);	/* "here" */
	ATF_CHECK_EQ(RESOLVER_NAME_SIZE, r.remote_name_len);
	ATF_CHECK_EQ(RESOLVER_INFO_SIZE, r.info_len);
	/* And once more, now that it is gone. */
	resolver_says(IMSG_RESOLVER_FOUND, id, &found, sizeof(found));
	hear_nothing(100);
	alive_check();
	process_end();
}

/* It hangs up whenever it is asked: the client goes on without names. */
ATF_TC_WITHOUT_HEAD(resolver_that_hangs_up);
ATF_TC_BODY(resolver_that_hangs_up, tc)
{
	struct start_record	r;
	int			i;

	(void)begin_resolved();
	for (i = 0; i < 4; i++) {
		if (i > 0)
			(void)resolver_asked();
		ATF_REQUIRE(shutdown(resolver_fd, SHUT_RDWR) == 0);
		resolver_refused();
		start_none(tp_.starts[1], 30);
		resolver_give();
	}
	start_record_wait(&r);
	ATF_CHECK_EQ(0, r.remote_name_len + r.info_len);
	process_end();
}

/* Its channel is lost on the way: another is asked for, nothing ends. */
ATF_TC_WITHOUT_HEAD(resolver_not_received);
ATF_TC_BODY(resolver_not_received, tc)
{
	(void)begin_resolved();
	imsgbuf_clear(&resolver);
	close(resolver_fd);
	hear_word(IMSG_PARENT_RESOLVER_WANTED);
	say(IMSG_ENGINE_RESOLVER, ++resolver_number, NULL, 0);
	hear_word(IMSG_PARENT_RESOLVER_WANTED);
	resolver_give();
	(void)resolver_asked();
	process_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, a_session);
	ATF_TP_ADD_TC(tp, limit);
	ATF_TP_ADD_TC(tp, late_and_twice);
	ATF_TP_ADD_TC(tp, start_failed);
	ATF_TP_ADD_TC(tp, impossible_pids);
	ATF_TP_ADD_TC(tp, flood_of_nonsense);
	ATF_TP_ADD_TC(tp, adopted);
	ATF_TP_ADD_TC(tp, sync_numbers);
	ATF_TP_ADD_TC(tp, launcher_died);
	ATF_TP_ADD_TC(tp, launcher_silent);
	ATF_TP_ADD_TC(tp, queue_renewed);
	ATF_TP_ADD_TC(tp, end_overtakes_queue);
	ATF_TP_ADD_TC(tp, other_services);
	ATF_TP_ADD_TC(tp, credit);
	ATF_TP_ADD_TC(tp, parent_stopped);
	ATF_TP_ADD_TC(tp, parent_gone);
	ATF_TP_ADD_TC(tp, told_to_stop);
	ATF_TP_ADD_TC(tp, resolver_that_lies);
	ATF_TP_ADD_TC(tp, resolver_that_hangs_up);
	ATF_TP_ADD_TC(tp, resolver_not_received);
	return (atf_no_error());
}
