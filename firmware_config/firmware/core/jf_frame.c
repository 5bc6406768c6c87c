/* Frames: header, payload and CRC-32, made free of zeros by COBS and ended by 0x00. PROTOCOL.md section 1. */
#include "jf_core.h"

#define CRC_BYTES 4u
#define FULL_BLOCK 254u

uint32_t jf_crc(uint32_t crc, const uint8_t *bytes, size_t count) {
    static const uint32_t nibble[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    crc = ~crc;
    while (count--) {
        crc ^= *bytes++;
        crc = crc >> 4 ^ nibble[crc & 15u];
        crc = crc >> 4 ^ nibble[crc & 15u];
    }
    return ~crc;
}

static void keep(uint8_t byte) {
    if (jf.rx.size < JF_FRAME_BYTES)
        jf.rx.frame[jf.rx.size++] = byte;
    else
        jf.rx.bad = true;
}

static void end_of_frame(void) {
    uint16_t size = jf.rx.size;
    if (!jf.rx.any)
        return;
    if (jf.rx.bad || jf.rx.left || size <= CRC_BYTES ||
        jf_crc(0, jf.rx.frame, size - CRC_BYTES) != jf_get32(jf.rx.frame + size - CRC_BYTES))
        jf_broken_frame();
    else
        jf_frame(jf.rx.frame, (uint16_t)(size - CRC_BYTES));
}

void jf_receive(uint8_t byte) {
    if (byte == 0) {
        end_of_frame();
        jf.rx.size = 0;
        jf.rx.left = 0;
        jf.rx.any = jf.rx.bad = false;
        return;
    }
    if (jf.rx.left) {
        keep(byte);
        jf.rx.left--;
        return;
    }
    if (jf.rx.any && jf.rx.code != 0xFF)
        keep(0);
    jf.rx.any = true;
    jf.rx.code = byte;
    jf.rx.left = (uint8_t)(byte - 1);
}

static void flush_block(void) {
    jf.tx.block[0] = (uint8_t)(jf.tx.used + 1);
    jf_hal_write(jf.tx.block, jf.tx.used + 1u);
    jf.tx.used = 0;
}

static void stuff(const uint8_t *bytes, size_t count) {
    for (; count--; bytes++) {
        if (jf.tx.used == FULL_BLOCK)
            flush_block(); /* code 0xFF: no zero is meant behind it */
        if (*bytes)
            jf.tx.block[++jf.tx.used] = *bytes;
        else
            flush_block();
    }
}

void jf_send_bytes(const uint8_t *bytes, size_t count) {
    jf.tx.crc = jf_crc(jf.tx.crc, bytes, count);
    stuff(bytes, count);
}

void jf_send_begin(uint8_t number, uint16_t sequence) {
    uint8_t header[JF_REPLY_HEADER_BYTES];
    header[0] = number;
    jf_put16(header + JF_REPLY_SEQUENCE, sequence);
    jf_put16(header + JF_REPLY_ACK, jf.session.expected);
    jf_put32(header + JF_REPLY_SACK, jf.session.held);
    header[JF_REPLY_CREDIT] = JF_WINDOW;
    jf.session.unacknowledged = 0; /* every frame acknowledges */
    jf.tx.used = 0;
    jf.tx.crc = 0;
    jf_send_bytes(header, sizeof header);
}

void jf_send_end(void) {
    static const uint8_t delimiter = 0;
    uint8_t crc[CRC_BYTES];
    jf_put32(crc, jf.tx.crc);
    stuff(crc, sizeof crc);
    flush_block();
    jf_hal_write(&delimiter, 1);
}
