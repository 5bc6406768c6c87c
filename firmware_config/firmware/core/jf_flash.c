/* The image that is kept: two slots, the older one written, its header last. PROTOCOL.md section 3.

   A slot is a row of pages: header, erase record, payload. A slot counts if its header's CRC, digest and length are
   right and the payload has the CRC that it names; the other slot is never touched meanwhile, so a power cut
   anywhere leaves the board with the image from before or the new one. The erase record is written right
   after an erase, so that erases count even where the commit was cut off. */
#include "jf_core.h"

#if JF_FLASH_SLOT_BYTES

#define HEADER_MAGIC 0x3153464Au
#define RECORD_MAGIC 0x3145464Au
#define GENERATION 4u
#define LENGTH 8u
#define IMAGE_CRC 12u
#define DIGEST 16u
#define HEADER_BYTES 48u /* and a CRC */
#define RECORD_BYTES 8u  /* and a CRC */
#define PAYLOAD (2u * JF_FLASH_PAGE_BYTES)
#define UNSIGNED_HALF 0x80000000u

_Static_assert(JF_FLASH_PAGE_BYTES >= HEADER_BYTES + 4u, "a page holds a header: take several programming units");
_Static_assert(JF_FLASH_SLOT_BYTES >= PAYLOAD + JF_IMAGE_BYTES + JF_FLASH_PAGE_BYTES, "a slot holds an image");
_Static_assert(JF_FLASH_SECTOR_BYTES % JF_FLASH_PAGE_BYTES == 0, "pages do not cross sectors");
_Static_assert(JF_FLASH_SLOT_BYTES % JF_FLASH_SECTOR_BYTES == 0, "slots are whole sectors");

static const uint8_t digest[32] = JF_SPEC_DIGEST;

static bool sealed(const uint8_t *bytes, uint32_t count, uint32_t magic) {
    return jf_get32(bytes) == magic && jf_get32(bytes + count) == jf_crc(0, bytes, count);
}

/* The erase count that a slot remembers; 0 without one. */
static uint32_t erases_in(unsigned slot) {
    uint8_t record[RECORD_BYTES + 4];
    jf_hal_flash_read(slot, JF_FLASH_PAGE_BYTES, record, sizeof record);
    return sealed(record, RECORD_BYTES, RECORD_MAGIC) ? jf_get32(record + 4) : 0;
}

static uint32_t payload_crc(unsigned slot) {
    uint8_t page[JF_FLASH_PAGE_BYTES];
    uint32_t crc = 0, size;
    for (uint32_t at = 0; at < JF_IMAGE_BYTES; at += size) {
        size = JF_IMAGE_BYTES - at < sizeof page ? JF_IMAGE_BYTES - at : (uint32_t)sizeof page;
        jf_hal_flash_read(slot, PAYLOAD + at, page, size);
        crc = jf_crc(crc, page, size);
    }
    return crc;
}

static bool counts(unsigned slot, uint32_t *generation, uint32_t *crc) {
    uint8_t header[HEADER_BYTES + 4];
    jf_hal_flash_read(slot, 0, header, sizeof header);
    *generation = jf_get32(header + GENERATION);
    *crc = jf_get32(header + IMAGE_CRC);
    return sealed(header, HEADER_BYTES, HEADER_MAGIC) && jf_get32(header + LENGTH) == JF_IMAGE_BYTES &&
           !memcmp(header + DIGEST, digest, sizeof digest) && payload_crc(slot) == *crc;
}

/* Power-up: the image of the newest slot that counts; false if there is none. */
bool jf_flash_load(uint8_t *image) {
    jf_answer ignored;
    for (unsigned slot = 0; slot < JF_SLOTS; slot++) {
        uint32_t generation, crc, erases = erases_in(slot);
        jf.flash.erases = erases > jf.flash.erases ? erases : jf.flash.erases;
        if (!counts(slot, &generation, &crc) ||
            (jf.flash.newest && generation - jf.flash.generation >= UNSIGNED_HALF)) /* the older one */
            continue;
        jf.flash.newest = (uint8_t)(slot + 1);
        jf.flash.generation = generation;
        jf.flash.image_crc = crc;
    }
    if (!jf.flash.newest)
        return false;
    jf_hal_flash_read(jf.flash.newest - 1u, PAYLOAD, image, JF_IMAGE_BYTES);
    if (!jf_image_check(image, &ignored))
        jf.flash.newest = 0;
    jf.flash.started_from = jf.flash.newest;
    return jf.flash.newest;
}

static void program(unsigned slot, uint32_t offset, const uint8_t *bytes, uint32_t count) {
    uint8_t page[JF_FLASH_PAGE_BYTES];
    memset(page, 0xFF, sizeof page);
    memcpy(page, bytes, count);
    jf_hal_flash_program(slot, offset, page);
}

static void seal(unsigned slot, uint32_t offset, uint8_t *bytes, uint32_t count, uint32_t magic) {
    jf_put32(bytes, magic);
    jf_put32(bytes + count, jf_crc(0, bytes, count));
    program(slot, offset, bytes, count + 4);
}

static void erase(unsigned slot) {
    uint8_t record[RECORD_BYTES + 4];
    for (uint32_t sector = 0; sector < JF_FLASH_SLOT_BYTES / JF_FLASH_SECTOR_BYTES; sector++)
        jf_hal_flash_erase(slot, sector);
    jf_put32(record + 4, ++jf.flash.erases);
    seal(slot, JF_FLASH_PAGE_BYTES, record, RECORD_BYTES, RECORD_MAGIC);
}

static void write_payload(unsigned slot) {
    uint32_t size;
    for (uint32_t at = 0; at < JF_IMAGE_BYTES; at += size) {
        size = JF_IMAGE_BYTES - at < JF_FLASH_PAGE_BYTES ? JF_IMAGE_BYTES - at : JF_FLASH_PAGE_BYTES;
        program(slot, PAYLOAD + at, jf_active() + at, size);
    }
}

/* The first byte of the payload that reads back wrong; JF_IMAGE_BYTES if none does. */
static uint32_t wrong_byte(unsigned slot) {
    uint8_t byte;
    for (uint32_t at = 0; at < JF_IMAGE_BYTES; at++) {
        jf_hal_flash_read(slot, PAYLOAD + at, &byte, 1);
        if (byte != jf_active()[at])
            return at;
    }
    return JF_IMAGE_BYTES;
}

/* Write the active image into the older slot; false at byte `bad` where the flash does not hold it. */
static bool keep(unsigned slot, uint32_t *bad) {
    uint8_t header[HEADER_BYTES + 4];
    uint32_t generation, crc;
    erase(slot);
    write_payload(slot);
    *bad = wrong_byte(slot);
    if (*bad < JF_IMAGE_BYTES)
        return false;
    jf_put32(header + GENERATION, jf.flash.generation + 1);
    jf_put32(header + LENGTH, JF_IMAGE_BYTES);
    jf_put32(header + IMAGE_CRC, jf_image_crc());
    memcpy(header + DIGEST, digest, sizeof digest);
    seal(slot, 0, header, HEADER_BYTES, HEADER_MAGIC);
    if (!counts(slot, &generation, &crc) || generation != jf.flash.generation + 1)
        return false;
    jf.flash.newest = (uint8_t)(slot + 1);
    jf.flash.generation = generation;
    jf.flash.image_crc = crc;
    return true;
}

bool jf_do_commit(const jf_request *request, jf_answer *answer) {
    unsigned slot = jf.flash.newest == 1 ? 1 : 0;
    uint32_t bad;
    if (!jf.stage.active.kind)
        return jf_refuse(answer, JF_ERROR_CODE_NOT_CONFIGURED, 0, 0);
    if (jf_get32(request->payload + JF_COMMIT_IMAGE_CRC) != jf_image_crc())
        return jf_refuse(answer, JF_ERROR_CODE_WRONG_IMAGE, 0, jf_image_crc());
    jf_outputs_off();
    if (!(jf.flash.newest && jf.flash.image_crc == jf_image_crc()) && !keep(slot, &bad))
        return jf_refuse(answer, JF_ERROR_CODE_FLASH, slot + 1, bad);
    answer->bytes[JF_COMMIT_ANSWER_SLOT] = jf.flash.newest;
    jf_put32(answer->bytes + JF_COMMIT_ANSWER_ERASES, jf.flash.erases);
    answer->size = JF_COMMIT_ANSWER_BYTES;
    return true;
}

#else /* a board without flash: commit is refused before it gets here */

bool jf_flash_load(uint8_t *image) { return (void)image, false; }
bool jf_do_commit(const jf_request *request, jf_answer *answer) { return (void)request, (void)answer, false; }

#endif
