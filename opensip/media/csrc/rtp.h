/* The RTP packet: RFC 3550 section 5. */
#ifndef OPENSIP_RTP_H
#define OPENSIP_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTP_HEADER = 12,    /* bytes without CSRCs and extension */
    RTP_LARGEST = 1500, /* no datagram of media is larger; what is, is refused */
};

/* What stands in a packet; `payload` points into it and is less its padding. */
struct rtp {
    uint8_t payload_type;
    bool marker;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    const uint8_t *payload;
    size_t size;
};

static inline uint16_t read16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t read32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void write16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void write32(uint8_t *at, uint32_t value)
{
    write16(at, (uint16_t)(value >> 16));
    write16(at + 2, (uint16_t)value);
}

/* Bytes before the payload, CSRCs and extension included; 0 when the packet ends before that. */
size_t rtp_header_size(const uint8_t *data, size_t size);

/* Reads a datagram; false when it is no RTP or lies about its own lengths. */
bool rtp_parse(struct rtp *packet, const uint8_t *data, size_t size);

/* Writes a header of RTP_HEADER bytes; fields as in `packet`, payload left alone. */
void rtp_write_header(uint8_t *at, const struct rtp *packet);

/* Tells RTCP from RTP on one port: RFC 5761 section 4. */
bool rtp_is_rtcp(const uint8_t *data, size_t size);

#endif
