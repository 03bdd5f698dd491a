/* SPDX-License-Identifier: GPL-2.0 */
/* What encrypt and its programs agree on: AES-256 in CBC mode. */
#ifndef ENCRYPT_H
#define ENCRYPT_H

#define KEY_LEN		32
#define BLOCK_LEN	16

#endif /* ENCRYPT_H */
