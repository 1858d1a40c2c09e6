#!/usr/bin/env python3
"""compare - runs tcp servers side by side and prints medians and ratios.

usage: compare [-n connections] [-r rounds] [-c list] [-k kinds]
               load service rules.cdb name=command ...

Each command is run in alternation with the others, with RULES and PROGRAM in
its words replaced, and PORT by a free port; without PORT it must print its
port on standard output.  What it logs goes through a pipe to cat(1).  The
first name is the one the others are compared to.  Connections that failed
are told of.  CPU is of the server and everything it started, per 1,000 connections,
from wait4(2) after SIGTERM.
"""
import argparse, os, shlex, signal, socket, statistics, subprocess, sys, time


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("-n", type=int, default=3000)
    p.add_argument("-r", type=int, default=9)
    p.add_argument("-c", default="1,16,64")
    p.add_argument("-k", default="accepted,denied")
    p.add_argument("load")
    p.add_argument("service")
    p.add_argument("rules")
    p.add_argument("servers", nargs="+")
    return p.parse_args()


def port_free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def port_wait(pid, port):
    """Until somebody listens there; the connection is let go at once"""
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", int(port)), 5).close()
            return
        except OSError:
            time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    sys.exit("compare: nobody on port " + port)


def server_start(command, a):
    port = port_free()
    words = [w.replace("RULES", a.rules).replace("PROGRAM", a.service)
             .replace("PORT", port) for w in shlex.split(command)]
    r, w = os.pipe()
    log = subprocess.Popen(["cat"], stdin=subprocess.PIPE,
                           stdout=subprocess.DEVNULL)
    pid = os.fork()
    if pid == 0:
        os.dup2(w, 1)
        os.dup2(log.stdin.fileno(), 2)
        os.execvp(words[0], words)
    os.close(w)
    log.stdin.close()
    if "PORT" in command:
        port_wait(pid, port)
    else:
        port = os.read(r, 16).decode().strip()
    os.close(r)
    return pid, port, log


def load_run(a, port, concurrent, kind):
    n = a.n * (4 if kind == "denied" else 1)
    words = [a.load, "-c", str(concurrent), "-n", str(n)]
    words += ["-s", "127.0.0.2"] if kind == "denied" else []
    words += ["127.0.0.1", port] + (["ok"] if kind == "accepted" else [])
    out = subprocess.run(words, capture_output=True, text=True)
    values = dict(v.split("=") for v in out.stdout.split())
    if "bad" not in values:
        sys.exit("compare: load: %s%s" % (out.stdout, out.stderr))
    if values["bad"] != "0":
        print("compare: %s of %d connections failed at %d at a time" % (
            values["bad"], n, concurrent), file=sys.stderr)
    return n, float(values["rate"]), float(values["p99_us"])


def round_run(a, command, concurrent, kind):
    pid, port, log = server_start(command, a)
    try:
        n, rate, p99 = load_run(a, port, concurrent, kind)
    finally:
        os.kill(pid, signal.SIGTERM)
        _, _, usage = os.wait4(pid, 0)
        log.wait()
    cpu = (usage.ru_utime + usage.ru_stime) * 1000 / n
    return {"cpu": cpu, "rate": rate, "p99": p99}


def table_print(kind, concurrent, names, results):
    first = results[names[0]]
    for name in names:
        cells = []
        for what in ("cpu", "rate", "p99"):
            values = [r[what] for r in results[name]]
            ratios = [r[what] / f[what] for r, f in zip(results[name], first)
                      if f[what]]
            ratio = statistics.median(ratios) if ratios else float("nan")
            cells.append("%10.3f %5.2f" % (statistics.median(values), ratio))
        print("| %-8s | %4d | %-22s | %s |" % (kind, concurrent, name,
                                             " | ".join(cells)))
    sys.stdout.flush()


def main():
    a = arguments()
    servers = dict(s.split("=", 1) for s in a.servers)
    names = list(servers)
    print("| %-8s | %4s | %-22s | %-16s | %-16s | %-16s |" % (
        "client", "c", "server", "CPU s/1000, ratio", "rate/s, ratio",
        "p99 us, ratio"))
    print("|---|---|---|---|---|---|")
    for kind in a.k.split(","):
        for concurrent in map(int, a.c.split(",")):
            results = {name: [] for name in names}
            for i in range(a.r):
                for name in (names if i % 2 == 0 else reversed(names)):
                    results[name].append(
                        round_run(a, servers[name], concurrent, kind))
            table_print(kind, concurrent, names, results)


main()
