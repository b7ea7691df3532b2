/* The ciphers under SRTP, on libcrypto: AES in counter mode with HMAC-SHA1, and AES-GCM. */
#ifndef OPENSIP_SRTP_CIPHER_H
#define OPENSIP_SRTP_CIPHER_H

#define OPENSSL_SUPPRESS_DEPRECATED /* SHA1_* copy a keyed state in 100 bytes; EVP_MAC takes 1 us */
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cipher {
    bool gcm, control; /* control: keys of SRTCP */
    size_t tag;
    uint8_t salt[14];
    EVP_CIPHER_CTX *encrypt, *decrypt; /* counter mode only encrypts: NULL there */
    SHA_CTX inner, outer; /* HMAC with its key already in (RFC 2104) */
};

/* One packet: `header` bytes stay plain, `size` is without what is put behind it. */
struct sealed {
    uint8_t *data, *tag;
    size_t header, size;
    uint32_t ssrc;
    uint64_t index; /* rollover counter and sequence: 48 bits; 31 bits of SRTCP */
    uint32_t word; /* authenticated with it: the rollover counter; of SRTCP E flag and index */
};

/* Takes the keys of SRTP, or those of SRTCP (`control`), from a master key||salt. */
bool cipher_open(struct cipher *cipher, const char *suite, const uint8_t *master, size_t size,
                 bool control);
void cipher_close(struct cipher *cipher);

/* Encrypts in place and writes the tag. */
bool cipher_seal(struct cipher *cipher, const struct sealed *packet);

/* Checks the tag and decrypts; nothing is changed where the tag is wrong. */
bool cipher_unseal(struct cipher *cipher, const struct sealed *packet);

#endif
