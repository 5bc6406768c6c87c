#include "model.h"

#include <string.h>

board_model model;

void jf_hal_board_id(uint8_t id[16]) { memcpy(id, "C-0001", 6); }

int16_t jf_hal_temperature(void) { return 3125; }

void jf_hal_safe(void) { model.live = false; }

void jf_hal_cell(unsigned bank, uint32_t cell, const jf_setting *setting) { model.cell[bank][cell] = *setting; }

void jf_hal_trim(unsigned bank, unsigned node, uint16_t code) { model.trim[bank][node - 1] = code; }

void jf_hal_run(const jf_program *program) {
    model.live = true;
    if (model.endless)
        return;
    for (model.scans = 1; model.scans < program->inputs; model.scans++)
        jf_next_input();
}

bool jf_hal_run_ended(uint32_t *scans) {
    *scans = model.endless ? 0 : model.scans;
    if (!model.endless)
        model.live = false;
    return !model.endless;
}

void jf_hal_flash_erase(unsigned slot, uint32_t sector) {
    uint8_t *at = model.flash[slot] + sector * JF_FLASH_SECTOR_BYTES;
    uint32_t done = model_power(JF_FLASH_SECTOR_BYTES);
    if (done % 2) { /* an erase that is cut need not have begun at the start: some bytes of each page */
        for (uint32_t i = 0; i < JF_FLASH_SECTOR_BYTES; i++)
            if (i % JF_FLASH_PAGE_BYTES >= JF_FLASH_PAGE_BYTES - done % JF_FLASH_PAGE_BYTES)
                at[i] = 0xFF;
    } else {
        memset(at, 0xFF, done);
        if (done < JF_FLASH_SECTOR_BYTES)
            at[done] |= 0x5A; /* and some bits of the next byte */
    }
    model.flash_operations++;
    model_power(0);
}

void jf_hal_flash_program(unsigned slot, uint32_t offset, const uint8_t *page) {
    uint8_t *at = model.flash[slot] + offset;
    uint32_t done = model_power(JF_FLASH_PAGE_BYTES);
    for (uint32_t i = 0; i < JF_FLASH_PAGE_BYTES; i++)
        model.misuses += at[i] != 0xFF;
    for (uint32_t i = 0; i < done; i++)
        at[i] &= page[i];
    if (done < JF_FLASH_PAGE_BYTES)
        at[done] &= page[done] | 0x5A;
    model.flash_operations++;
    model_power(0);
}

void jf_hal_flash_read(unsigned slot, uint32_t offset, uint8_t *to, uint32_t count) {
    memcpy(to, model.flash[slot] + offset, count);
}
