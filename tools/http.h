/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of HTTP/1.1 as it takes to be read by Prometheus and curl: one request a
 * connection, GET or HEAD. A client gets so long and may ask for so much and no more;
 * it can hold up only itself.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdio.h>

#define HTTP_REQUEST_MAX	4096	/* bytes, with its headers */
#define HTTP_SECONDS		5.0	/* for a connection from accept to close */
#define HTTP_CLIENTS		16	/* at once; others wait to be accepted */

/*
 * Writes the page for @path, which is what @context is for. Returns the status: 200,
 * 404, or 503 with a page that says why.
 */
typedef int http_page(FILE *out, const char *path, void *context);

/* Serves connections to @listener, which does not block, until @stop can be read. */
void http_serve(int listener, int stop, http_page *page, void *context);

#endif /* HTTP_H */
