/* What a port calls. PORTING.md explains it; jf_hal.h is what a port provides. */
#ifndef JACKFIELD_H
#define JACKFIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jf_board.h"
#include "jf_port.h"
#include "jf_protocol.h"

#define JF_TEMPERATURE_UNKNOWN 0x7FFF
#define JF_SLOTS 2u

/* One cell's settings in one bank. Nodes are numbered from 1; 0 is ground. */
typedef struct {
    bool enable;
    uint16_t source, destination, codes[JF_MOST_PARAMETERS];
} jf_setting;

/* A run that has been checked. The lists are read with the functions below. */
typedef struct {
    uint32_t number, hold_ticks;
    uint16_t first, inputs;
    uint16_t step; /* 0: the configuration stays; else see jf_next_input */
    uint8_t mode;  /* JF_MODE_... */
    uint8_t steps, probes;
    uint16_t tail_bytes;
    uint8_t tail[JF_FRAME_BYTES];
} jf_program;

/* Start, or start anew after a reset: safe state, the image from flash if there is one.
   `reason` is JF_SAFE_REASON_POWER_UP, _RESET or _SELF_TEST; with the last, runs are refused with `failed_test`. */
void jf_start(uint8_t reason, uint32_t failed_test);

/* Do what is due. Call it again and again from the main loop, at least every 100 ms. */
void jf_poll(void);

/* Bank and ticks of step `index` of a run. */
void jf_program_step(const jf_program *program, unsigned index, uint8_t *bank, uint32_t *ticks);

/* The node that `probe` (from 0) shows in slot 2 + `slot`; 0, ground, behind the end of its list. */
uint16_t jf_program_node(const jf_program *program, unsigned probe, unsigned slot);

/* Slots behind ground and reference: the longest list. */
unsigned jf_program_slots(const jf_program *program);

/* Preset codes of input `input` for nodes 1, 2, ...: JF_NODES codes. */
const uint16_t *jf_input(unsigned input);

/* Nodes that stay driven by their presets while the banks of a run play, and whether currents are injected then:
   JF_NODES codes for each of JF_INJECTION_POINTS points in time. */
bool jf_program_clamps(const jf_program *program, uint16_t node);
bool jf_program_injects(const jf_program *program);
const uint16_t *jf_injection(unsigned input);

/* Hand all settings of the active image over again: for hardware whose safe state forgets them, in jf_hal_run. */
void jf_settings_again(void);

/* In runs with a `step`: to be called before each input but the first, with the preset switches closed.
   Selects the next step, which calls jf_hal_cell and jf_hal_trim for what changes. */
void jf_next_input(void);

#endif
