/* What a port provides. hal_template.c has each function to fill in. */
#ifndef JF_HAL_H
#define JF_HAL_H

#include "jackfield.h"

/* Bytes that have arrived, at most `room`; 0 if there are none. Does not wait. */
size_t jf_hal_read(uint8_t *to, size_t room);

/* Send these bytes; may wait until the transmitter takes them, but not for the host. */
void jf_hal_write(const uint8_t *from, size_t count);

/* Milliseconds since any moment; wraps around at 2^32. */
uint32_t jf_hal_ms(void);

/* The text that is unique for this board, 16 bytes, unused ones zero. */
void jf_hal_board_id(uint8_t id[16]);

/* The board's temperature in 0.01 degrees Celsius, or JF_TEMPERATURE_UNKNOWN without an ADC. */
int16_t jf_hal_temperature(void);

/* Safe state, at once, from any state: cells disabled, trims and injection zero, preset switches open, probes at
   ground, trigger low. Ends a run. */
void jf_hal_safe(void);

/* Apply a setting. Called while no output is live, or from jf_next_input. */
void jf_hal_cell(unsigned bank, uint32_t cell, const jf_setting *setting);
void jf_hal_trim(unsigned bank, unsigned node, uint16_t code);

/* Start a run (PROTOCOL.md section 4) and return. `program` stays as it is until the next run. */
void jf_hal_run(const jf_program *program);

/* Whether that run has ended; `scans` gets the number of inputs scanned so far. */
bool jf_hal_run_ended(uint32_t *scans);

#if JF_FLASH_SLOT_BYTES
/* Flash slot 0 or 1. Erase sector `sector` of it to 0xFF; program JF_FLASH_PAGE_BYTES at `offset`, once after an
   erase. What went wrong is found by reading back. */
void jf_hal_flash_erase(unsigned slot, uint32_t sector);
void jf_hal_flash_program(unsigned slot, uint32_t offset, const uint8_t *page);
void jf_hal_flash_read(unsigned slot, uint32_t offset, uint8_t *to, uint32_t count);
#endif

#if JF_HAS_BAUD
/* Change the baud rate once all bytes handed to jf_hal_write have left. */
void jf_hal_baud(uint32_t baud);
#endif

#endif
