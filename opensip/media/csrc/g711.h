/* G.711, both laws: one look-up in a table each way. */
#ifndef OPENSIP_G711_H
#define OPENSIP_G711_H

#include <stddef.h>
#include <stdint.h>

/* One law. `encoded` is indexed by the bits of a sample as unsigned. */
struct g711 {
    int16_t decoded[256];
    uint8_t encoded[65536];
    uint8_t silence; /* the code of digital silence */
};

extern struct g711 PCMU, PCMA;

/* Computes the tables; call it once, before anything else of here. */
void g711_prepare(void);

/* Decodes `size` codes into as many samples; returns the sum of their squares. */
int64_t g711_decode(const struct g711 *law, const uint8_t *codes, size_t size, int16_t *samples);

void g711_encode(const struct g711 *law, const int16_t *samples, size_t size, uint8_t *codes);

#endif
