// SPDX-License-Identifier: GPL-2.0
/* unified-io exporter: the regions' counters and latencies for Prometheus, over HTTP. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "http.h"
#include "metrics.h"

#define DEFAULT_LISTEN	"127.0.0.1:9943"

static const char help[] =
	"usage: unified-io exporter [OPTION]...\n\n"
	"Serves counters and latencies of all regions of this machine at /metrics, in the text\n"
	"format of Prometheus, until SIGINT or SIGTERM. Needs root.\n\n"
	"  -l, --listen=HOST:PORT  where; " DEFAULT_LISTEN " by default; port 0 for any\n"
	"      --allow-remote      also where other machines can reach it\n"
	"      --no-latency        counters alone: operations are not traced, and the module can\n"
	"                          be unloaded meanwhile\n"
	"  -h, --help              this text\n";

struct options {
	const char *listen;
	bool remote;
	bool no_latency;
};

static bool is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in6 *v6 = (const void *)address;
	const struct sockaddr_in *v4 = (const void *)address;

	if (address->sa_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static struct addrinfo *find(const char *text, char *copy)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
	}, *found;
	char *host, *port;
	int ret;

	split_host(copy, &host, &port);
	ret = getaddrinfo(host, port, &hints, &found);
	if (ret)
		die(EXIT_USAGE, "--listen '%s': want an address such as " DEFAULT_LISTEN ": %s", text,
		    gai_strerror(ret));
	return found;
}

static int listen_at(const struct options *options)
{
	char *copy = strdup(options->listen);
	struct addrinfo *at = find(options->listen, copy);
	int fd, one = 1;

	if (!options->remote && !is_loopback(at->ai_addr))
		die(EXIT_USAGE, "--listen '%s': other machines could reach that: say --allow-remote, or "
		    "take 127.0.0.1", options->listen);
	fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		die(EXIT_FAILED, "%s: %s", options->listen, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, at->ai_addr, at->ai_addrlen) || listen(fd, SOMAXCONN))
		die(EXIT_FAILED, "%s: %s", options->listen, strerror(errno));
	freeaddrinfo(at);
	free(copy);
	return fd;
}

static void say_where(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char host[64], port[8];

	getsockname(fd, (struct sockaddr *)&address, &len);
	getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	warn(address.ss_family == AF_INET6 ? "serving http://[%s]:%s/metrics" :
	     "serving http://%s:%s/metrics", host, port);
}

static int page(FILE *out, const char *path, void *trace)
{
	struct regions regions;
	int err;

	if (!strcmp(path, "/")) {
		fputs("unified-io exporter: /metrics\n", out);
		return 200;
	}
	if (strcmp(path, "/metrics")) {
		fputs("Not Found: there is /metrics\n", out);
		return 404;
	}
	err = regions_read(&regions, 0);
	if (err) {
		fprintf(out, "%s\n", regions_hint(err));
		return 503;
	}
	if (trace)
		latency_forget(trace, &regions);
	metrics_write(out, &regions, trace);
	regions_free(&regions);
	return 200;
}

static int stop_signals(void)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (fd < 0)
		die(EXIT_FAILED, "signalfd: %s", strerror(errno));
	return fd;
}

static void serve(const struct options *options)
{
	int listener = listen_at(options), stop = stop_signals();
	struct latency_trace *trace = NULL;
	struct regions regions;

	regions_must_read(&regions, 0);
	regions_free(&regions);
	if (!options->no_latency) {
		trace = latency_open(0);
		if (!trace)
			die(EXIT_DEVICE, "%s; or --no-latency", latency_hint(errno));
	}
	say_where(listener);
	http_serve(listener, stop, page, trace);
	latency_close(trace);
	close(listener);
	close(stop);
}

int exporter_main(int argc, char **argv)
{
	enum { ALLOW_REMOTE = 256, NO_LATENCY };
	static const struct option known[] = {
		TOOL_OPTIONS,
		{ "listen", required_argument, NULL, 'l' },
		{ "allow-remote", no_argument, NULL, ALLOW_REMOTE },
		{ "no-latency", no_argument, NULL, NO_LATENCY },
		{ },
	};
	struct options options = { .listen = DEFAULT_LISTEN };
	int c;

	while ((c = next_option(argc, argv, known, help)) != -1) {
		switch (c) {
		case 'l':
			options.listen = optarg;
			break;
		case ALLOW_REMOTE:
			options.remote = true;
			break;
		case NO_LATENCY:
			options.no_latency = true;
		}
	}
	if (argc != optind)
		die(EXIT_USAGE, "takes no arguments; see --help");
	serve(&options);
	return EXIT_OK;
}
