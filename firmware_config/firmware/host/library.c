/* The firmware as a shared library: bytes in, bytes out, a clock that is set, power that can be cut.

   Python drives it through ctypes (tests/firmware/library.py). */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "jf_core.h"
#include "model.h"

#define IDLE_POLLS 4

static jmp_buf power_fails;
static struct {
    uint32_t cut_at, done; /* 0: never; else the operation, counted from library_cut, and bytes of it that are done */
    uint32_t operations;
    uint32_t now_ms;
    const uint8_t *in;
    size_t in_left, out_used;
    uint8_t out[1 << 20];
} world;

uint32_t model_power(uint32_t count) {
    bool failing = world.cut_at && world.operations + (count > 0) == world.cut_at;
    if (count) {
        world.operations++;
        return failing && world.done < count ? world.done : count;
    }
    if (failing)
        longjmp(power_fails, 1);
    return 0;
}

size_t jf_hal_read(uint8_t *to, size_t room) {
    size_t count = world.in_left < room ? world.in_left : room;
    if (count)
        memcpy(to, world.in, count);
    world.in += count;
    world.in_left -= count;
    return count;
}

void jf_hal_write(const uint8_t *from, size_t count) {
    if (count > sizeof world.out - world.out_used)
        abort();
    memcpy(world.out + world.out_used, from, count);
    world.out_used += count;
}

uint32_t jf_hal_ms(void) { return world.now_ms; }

void jf_hal_baud(uint32_t baud) { model.baud = baud; }

/* Power on: nothing but flash survives; RAM holds anything. */
void library_power_on(uint8_t reason, uint32_t failed_test) {
    memset(&jf, 0xA5, sizeof jf);
    memset(&model.cell, 0xA5, sizeof model.cell);
    memset(&model.trim, 0xA5, sizeof model.trim);
    model.live = true;
    jf_start(reason, failed_test);
}

/* Cut the power in the `operation`th flash operation from now (from 1; 0: never), with `done` bytes of it done. */
void library_cut(uint32_t operation, uint32_t done) {
    world.cut_at = operation;
    world.done = done;
    world.operations = 0;
}

uint32_t library_operations(void) { return world.operations; }

void library_clock(uint32_t now_ms) { world.now_ms = now_ms; }

/* Hand over bytes and poll until there is nothing left to do; false where the power failed. */
bool library_exchange(const uint8_t *bytes, size_t count) {
    world.in = bytes;
    world.in_left = count;
    if (setjmp(power_fails)) {
        world.cut_at = 0;
        world.in_left = world.out_used = 0;
        return false;
    }
    while (world.in_left)
        jf_poll();
    for (unsigned i = 0; i < IDLE_POLLS; i++)
        jf_poll();
    return true;
}

/* What the board has sent since the last call; `count` gets the number of bytes. */
const uint8_t *library_sent(size_t *count) {
    *count = world.out_used;
    world.out_used = 0;
    return world.out;
}

/* The model's state, for tests. */
uint8_t *library_flash(size_t *count) {
    *count = sizeof model.flash;
    return &model.flash[0][0];
}

uint32_t library_misuses(void) { return model.misuses; }

uint32_t library_baud(void) { return model.baud; }

bool library_live(void) { return model.live; }

void library_endless(bool endless) { model.endless = endless; }

/* One cell as the board got it: enable, source, destination, parameters. */
void library_cell(unsigned bank, uint32_t cell, uint16_t *values) {
    const jf_setting *setting = &model.cell[bank][cell];
    values[0] = setting->enable;
    values[1] = setting->source;
    values[2] = setting->destination;
    memcpy(values + 3, setting->codes, sizeof setting->codes);
}

uint16_t library_trim(unsigned bank, unsigned node) { return model.trim[bank][node - 1]; }
