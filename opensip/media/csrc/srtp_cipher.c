#include "srtp_cipher.h"

#include <openssl/crypto.h>
#include <string.h>

#include "rtp.h"

enum {
    AES_BLOCK = 16,
    HMAC_BLOCK = 64,
    LABEL_KEY = 0,
    LABEL_AUTH = 1,
    LABEL_SALT = 2, /* RFC 3711 section 4.3.2 */
    LABEL_CONTROL = 3, /* those of SRTCP are as many further */
    CONTROL_TAG = 10, /* of both HMAC suites: RFC 4568 section 6.2.2 */
};

struct suite {
    const char *name;
    size_t key, salt, tag;
    bool gcm;
};

static const struct suite SUITES[] = {
    {"AES_CM_128_HMAC_SHA1_80", 16, 14, 10, false},
    {"AES_CM_128_HMAC_SHA1_32", 16, 14, 4, false},
    {"AEAD_AES_128_GCM", 16, 12, 16, true},
    {"AEAD_AES_256_GCM", 32, 12, 16, true},
};

static const struct suite *find_suite(const char *name)
{
    for (size_t n = 0; n < sizeof SUITES / sizeof *SUITES; n++)
        if (strcmp(SUITES[n].name, name) == 0)
            return &SUITES[n];
    return NULL;
}

/* RFC 3711 section 4.3.1: the keystream of counter mode under the master key, key rate 0. */
static bool derive(const struct suite *suite, const uint8_t *master, int label, uint8_t *out,
                   int size)
{
    uint8_t iv[16] = {0}, zeros[32] = {0};
    int written;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    memcpy(iv, master + suite->key, suite->salt);
    iv[7] ^= (uint8_t)label;
    bool good = ctx &&
                EVP_EncryptInit_ex(ctx, suite->key == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(),
                                   NULL, master, iv) &&
                EVP_EncryptUpdate(ctx, out, &written, zeros, size);
    EVP_CIPHER_CTX_free(ctx);
    return good;
}

static void key_hmac(struct cipher *cipher, const uint8_t *key, size_t size)
{
    uint8_t pad[HMAC_BLOCK];
    memset(pad, 0x36, sizeof pad);
    for (size_t n = 0; n < size; n++)
        pad[n] ^= key[n];
    SHA1_Init(&cipher->inner);
    SHA1_Update(&cipher->inner, pad, sizeof pad);
    for (size_t n = 0; n < sizeof pad; n++)
        pad[n] ^= 0x36 ^ 0x5c;
    SHA1_Init(&cipher->outer);
    SHA1_Update(&cipher->outer, pad, sizeof pad);
    OPENSSL_cleanse(pad, sizeof pad);
}

static const EVP_CIPHER *algorithm(const struct suite *suite)
{
    if (!suite->gcm)
        return EVP_aes_128_ecb();
    return suite->key == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
}

bool cipher_open(struct cipher *cipher, const char *name, const uint8_t *master, size_t size,
                 bool control)
{
    int first = control ? LABEL_CONTROL : 0;
    const struct suite *suite = find_suite(name);
    uint8_t key[32], auth[20];
    if (!suite || size != suite->key + suite->salt)
        return false;
    cipher->gcm = suite->gcm;
    cipher->control = control;
    cipher->tag = control && !suite->gcm ? CONTROL_TAG : suite->tag;
    cipher->encrypt = EVP_CIPHER_CTX_new();
    cipher->decrypt = suite->gcm ? EVP_CIPHER_CTX_new() : NULL;
    bool good = cipher->encrypt && (cipher->decrypt || !suite->gcm) &&
                derive(suite, master, first + LABEL_KEY, key, (int)suite->key) &&
                derive(suite, master, first + LABEL_AUTH, auth, sizeof auth) &&
                derive(suite, master, first + LABEL_SALT, cipher->salt, (int)suite->salt) &&
                EVP_EncryptInit_ex(cipher->encrypt, algorithm(suite), NULL, key, NULL) &&
                (!suite->gcm ||
                 EVP_DecryptInit_ex(cipher->decrypt, algorithm(suite), NULL, key, NULL));
    key_hmac(cipher, auth, sizeof auth);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(auth, sizeof auth);
    if (!good)
        cipher_close(cipher);
    return good;
}

void cipher_close(struct cipher *cipher)
{
    EVP_CIPHER_CTX_free(cipher->encrypt);
    EVP_CIPHER_CTX_free(cipher->decrypt);
    OPENSSL_cleanse(cipher, sizeof *cipher);
}

/* RFC 3711 section 4.1.1: salt, SSRC and index, then a counter of blocks from 0 on. */
static void counter_block(const struct cipher *cipher, const struct sealed *packet,
                          uint8_t block[AES_BLOCK])
{
    uint8_t mask[10];
    memcpy(block, cipher->salt, 14);
    block[14] = block[15] = 0;
    write32(mask, packet->ssrc);
    write32(mask + 4, (uint32_t)(packet->index >> 16));
    write16(mask + 8, (uint16_t)packet->index);
    for (int n = 0; n < 10; n++)
        block[4 + n] ^= mask[n];
}

/*
 * Counter mode by hand, on the bare block cipher: libcrypto's own would want its IV set for each
 * packet, which costs more than the packet.
 */
static bool count_through(const struct cipher *cipher, const struct sealed *packet)
{
    uint8_t stream[RTP_LARGEST + AES_BLOCK], *at = packet->data + packet->header;
    size_t size = packet->size - packet->header, blocks = (size + AES_BLOCK - 1) / AES_BLOCK;
    int written;
    if (blocks * AES_BLOCK > sizeof stream)
        return false;
    counter_block(cipher, packet, stream);
    for (size_t n = 1; n < blocks; n++) {
        memcpy(stream + n * AES_BLOCK, stream, AES_BLOCK - 2);
        write16(stream + n * AES_BLOCK + AES_BLOCK - 2, (uint16_t)n);
    }
    if (!EVP_EncryptUpdate(cipher->encrypt, stream, &written, stream, (int)(blocks * AES_BLOCK)))
        return false;
    for (size_t n = 0; n < size; n++)
        at[n] ^= stream[n];
    return true;
}

/* RFC 3711 section 4.2: over the packet and the rollover counter, or the word of section 3.4. */
static void authenticate(const struct cipher *cipher, const struct sealed *packet, uint8_t tag[20])
{
    uint8_t word[4];
    SHA_CTX hash = cipher->inner;
    write32(word, packet->word);
    SHA1_Update(&hash, packet->data, packet->size);
    SHA1_Update(&hash, word, sizeof word);
    SHA1_Final(tag, &hash);
    hash = cipher->outer;
    SHA1_Update(&hash, tag, 20);
    SHA1_Final(tag, &hash);
}

/* RFC 7714 sections 8.1 and 9.1. */
static void gcm_iv(const struct cipher *cipher, const struct sealed *packet, uint8_t iv[12])
{
    iv[0] = iv[1] = 0;
    write32(iv + 2, packet->ssrc);
    write32(iv + 6, (uint32_t)(packet->index >> 16));
    write16(iv + 10, (uint16_t)packet->index);
    for (int n = 0; n < 12; n++)
        iv[n] ^= cipher->salt[n];
}

/* What is authenticated and not encrypted: sections 8.2 and 9.2. */
static bool add_plain(const struct cipher *cipher, EVP_CIPHER_CTX *ctx, const struct sealed *packet)
{
    uint8_t word[4];
    int written;
    write32(word, packet->word);
    return EVP_CipherUpdate(ctx, NULL, &written, packet->data, (int)packet->header) &&
           (!cipher->control || EVP_CipherUpdate(ctx, NULL, &written, word, sizeof word));
}

static bool seal_gcm(struct cipher *cipher, const struct sealed *packet)
{
    EVP_CIPHER_CTX *ctx = cipher->encrypt;
    uint8_t iv[12], *at = packet->data + packet->header;
    int written;
    gcm_iv(cipher, packet, iv);
    return EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, iv) &&
           add_plain(cipher, ctx, packet) &&
           EVP_EncryptUpdate(ctx, at, &written, at, (int)(packet->size - packet->header)) &&
           EVP_EncryptFinal_ex(ctx, at + written, &written) &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, (int)cipher->tag, packet->tag);
}

/* Decrypts aside first: what fails its check must be left as it came. */
static bool unseal_gcm(struct cipher *cipher, const struct sealed *packet)
{
    EVP_CIPHER_CTX *ctx = cipher->decrypt;
    uint8_t iv[12], plain[RTP_LARGEST], tag[16];
    int written, more, size = (int)(packet->size - packet->header);
    if (packet->size > sizeof plain)
        return false;
    gcm_iv(cipher, packet, iv);
    memcpy(tag, packet->tag, sizeof tag);
    bool good = EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, iv) &&
                add_plain(cipher, ctx, packet) &&
                EVP_DecryptUpdate(ctx, plain, &written, packet->data + packet->header, size) &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) &&
                EVP_DecryptFinal_ex(ctx, plain + written, &more) > 0;
    if (good)
        memcpy(packet->data + packet->header, plain, (size_t)size);
    return good;
}

bool cipher_seal(struct cipher *cipher, const struct sealed *packet)
{
    uint8_t tag[20];
    if (cipher->gcm)
        return seal_gcm(cipher, packet);
    if (!count_through(cipher, packet))
        return false;
    authenticate(cipher, packet, tag);
    memcpy(packet->tag, tag, cipher->tag);
    return true;
}

bool cipher_unseal(struct cipher *cipher, const struct sealed *packet)
{
    uint8_t tag[20];
    if (cipher->gcm)
        return unseal_gcm(cipher, packet);
    authenticate(cipher, packet, tag);
    return CRYPTO_memcmp(tag, packet->tag, cipher->tag) == 0 &&
           count_through(cipher, packet);
}
