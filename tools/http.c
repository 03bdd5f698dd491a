// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"
#include "tool.h"

/*
 * A connection is read until its request is complete, then written until the reply
 * is, then read until the peer closes: what it still had to say would otherwise be
 * answered by a reset, which may overtake the reply.
 */
struct client {
	int fd;			/* -1: free */
	double until;		/* see uptime() */
	char request[HTTP_REQUEST_MAX + 1];
	size_t have;
	char *reply;		/* NULL: still reading */
	size_t len;
	size_t sent;
};

struct server {
	struct client clients[HTTP_CLIENTS];
	http_page *page;
	void *context;
};

static const char *reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	}
	return "Service Unavailable";
}

static void drop(struct client *client)
{
	close(client->fd);
	free(client->reply);
	*client = (struct client) { .fd = -1 };
}

/* What was asked for. Returns a status, 200 so far, and the path without its query. */
static int parse(const char *request, bool *head, char *path, size_t size)
{
	char method[8], target[256], version;

	if (strlen(request) == HTTP_REQUEST_MAX)
		return 431;
	if (sscanf(request, "%7[A-Z] %255[!-~] HTTP/1.%c", method, target, &version) != 3)
		return 400;
	*head = !strcmp(method, "HEAD");
	if (!*head && strcmp(method, "GET"))
		return 405;
	target[strcspn(target, "?")] = '\0';
	snprintf(path, size, "%s", target);
	return 200;
}

static void put_reply(FILE *out, int status, bool head, const char *body, size_t len)
{
	fprintf(out, "HTTP/1.1 %d %s\r\n"
		     "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
		     "Content-Length: %zu\r\n"
		     "%s"
		     "Connection: close\r\n\r\n",
		status, reason(status), len, status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (!head)
		fwrite(body, 1, len, out);
}

static void reply(struct server *server, struct client *client)
{
	char path[256], *body = NULL;
	bool head = false;
	size_t len = 0;
	FILE *out = open_memstream(&body, &len);
	int status = parse(client->request, &head, path, sizeof(path));

	if (!out)
		die(EXIT_FAILED, "no memory for a page");
	if (status == 200)
		status = server->page(out, path, server->context);
	else
		fprintf(out, "%s\n", reason(status));
	fclose(out);
	out = open_memstream(&client->reply, &client->len);
	if (!out)
		die(EXIT_FAILED, "no memory for a page");
	put_reply(out, status, head, body, len);
	fclose(out);
	free(body);
}

static bool complete(const struct client *client)
{
	return client->have == HTTP_REQUEST_MAX || strstr(client->request, "\r\n\r\n") ||
	       strstr(client->request, "\n\n");
}

/* Returns false when the connection is over. */
static bool receive(struct server *server, struct client *client)
{
	char rest[1024];
	bool replied = client->reply;
	char *to = replied ? rest : client->request + client->have;
	size_t room = replied ? sizeof(rest) : HTTP_REQUEST_MAX - client->have;
	ssize_t got = recv(client->fd, to, room, MSG_DONTWAIT);

	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR);
	if (replied)
		return true;
	if (memchr(to, '\0', got))	/* no text */
		return false;
	client->have += got;
	if (complete(client))
		reply(server, client);
	return true;
}

static bool transmit(struct client *client)
{
	ssize_t sent = send(client->fd, client->reply + client->sent, client->len - client->sent,
			    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR;
	client->sent += sent;
	if (client->sent == client->len)
		shutdown(client->fd, SHUT_WR);
	return true;
}

static bool writing(const struct client *client)
{
	return client->reply && client->sent < client->len;
}

static void accept_one(struct server *server, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	size_t i;

	if (fd < 0) {
		if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			pause_for(0.1);		/* no file descriptor, no memory: not at full speed */
		return;
	}
	for (i = 0; server->clients[i].fd != -1; i++)
		;
	server->clients[i].fd = fd;
	server->clients[i].until = uptime() + HTTP_SECONDS;
}

/* Fills in whom to wait for; returns how long at most, in ms. */
static int prepare(const struct server *server, struct pollfd *polls, int listener)
{
	double left = HTTP_SECONDS, time = uptime();
	bool any = false, room = false;
	size_t i;

	for (i = 0; i < HTTP_CLIENTS; i++) {
		const struct client *client = &server->clients[i];

		polls[i].fd = client->fd;
		polls[i].events = writing(client) ? POLLOUT : POLLIN;
		if (client->fd == -1)
			room = true;
		else if (client->until - time < left)
			left = client->until - time;
		any |= client->fd != -1;
	}
	polls[HTTP_CLIENTS].fd = room ? listener : -1;
	return !any ? -1 : left <= 0 ? 0 : (int)(left * 1000) + 1;
}

static void serve_clients(struct server *server, const struct pollfd *polls)
{
	double time = uptime();
	size_t i;

	for (i = 0; i < HTTP_CLIENTS; i++) {
		struct client *client = &server->clients[i];
		bool open = true;

		if (polls[i].fd == -1)
			continue;
		if (polls[i].revents)
			open = writing(client) ? transmit(client) : receive(server, client);
		if (!open || time > client->until)
			drop(client);
	}
}

void http_serve(int listener, int stop, http_page *page, void *context)
{
	struct pollfd polls[HTTP_CLIENTS + 2] = {
		[HTTP_CLIENTS] = { .events = POLLIN },
		[HTTP_CLIENTS + 1] = { .fd = stop, .events = POLLIN },
	};
	static struct server server;
	size_t i;

	server.page = page;
	server.context = context;
	for (i = 0; i < HTTP_CLIENTS; i++)
		server.clients[i].fd = -1;
	while (!polls[HTTP_CLIENTS + 1].revents) {
		int timeout = prepare(&server, polls, listener);

		if (poll(polls, ARRAY_SIZE(polls), timeout) < 0 && errno != EINTR)
			die(EXIT_FAILED, "poll: %s", strerror(errno));
		serve_clients(&server, polls);
		if (polls[HTTP_CLIENTS].revents)
			accept_one(&server, listener);
	}
	for (i = 0; i < HTTP_CLIENTS; i++)
		if (server.clients[i].fd != -1)
			drop(&server.clients[i]);
}
