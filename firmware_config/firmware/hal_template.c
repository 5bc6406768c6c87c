/* A port to fill in: copy it, with a jf_port.h and the jf_board.h that `jackfield boards header` writes. PORTING.md. */
#include <string.h>

#include "jf_hal.h"

/* The receive interrupt puts bytes here. JF_WINDOW frames must fit; clear the interrupt before reading the data
   register, or the last byte of a burst may go unnoticed. */
#define RING_BYTES 16384u
static uint8_t ring[RING_BYTES];
static volatile uint32_t ring_in, ring_out;
static volatile uint32_t now_ms; /* counted by a timer interrupt */

void port_received(uint8_t byte) {
    if (ring_in - ring_out < RING_BYTES)
        ring[ring_in++ % RING_BYTES] = byte;
}

void port_millisecond(void) { now_ms++; }

size_t jf_hal_read(uint8_t *to, size_t room) {
    size_t count = 0;
    while (count < room && ring_out != ring_in)
        to[count++] = ring[ring_out++ % RING_BYTES];
    return count;
}

void jf_hal_write(const uint8_t *from, size_t count) {
    /* Per byte: wait until the transmitter has room, then hand it over. */
    (void)from, (void)count;
}

uint32_t jf_hal_ms(void) { return now_ms; }

void jf_hal_board_id(uint8_t id[16]) {
    /* From the chip's unique number or a fuse; no two boards alike. */
    memcpy(id, "0000-0000", 9);
}

int16_t jf_hal_temperature(void) { return JF_TEMPERATURE_UNKNOWN; /* no ADC */ }

void jf_hal_safe(void) { /* Cells disabled, trims and injection zero, preset switches open, probes at ground, trigger low. */
}

void jf_hal_cell(unsigned bank, uint32_t cell, const jf_setting *setting) {
    /* Write the cell's switches and DACs, or the memory that they are refreshed from. */
    (void)bank, (void)cell, (void)setting;
}

void jf_hal_trim(unsigned bank, unsigned node, uint16_t code) { (void)bank, (void)node, (void)code; }

void jf_hal_run(const jf_program *program) {
    /* Start the timer that plays the inputs; in its interrupt, between inputs, jf_next_input if program->step.
       On boards with the hardware: leave the preset switches of nodes with jf_program_clamps closed while the banks
       play, and where jf_program_injects play jf_injection(input) on the injection DACs. */
    (void)program;
}

bool jf_hal_run_ended(uint32_t *scans) {
    *scans = 0;
    return true;
}

#if JF_FLASH_SLOT_BYTES
void jf_hal_flash_erase(unsigned slot, uint32_t sector) { (void)slot, (void)sector; }

void jf_hal_flash_program(unsigned slot, uint32_t offset, const uint8_t *page) { (void)slot, (void)offset, (void)page; }

void jf_hal_flash_read(unsigned slot, uint32_t offset, uint8_t *to, uint32_t count) {
    (void)slot, (void)offset;
    memset(to, 0xFF, count);
}
#endif

#if JF_HAS_BAUD
void jf_hal_baud(uint32_t baud) { (void)baud; /* wait until the last byte has left, then set the divider */ }
#endif

int main(void) {
    /* Clocks, pins, timer, UART at the first rate of JF_BAUD. A self-test, if the board has one. */
    jf_start(JF_SAFE_REASON_POWER_UP, 0);
    for (;;)
        jf_poll();
}
