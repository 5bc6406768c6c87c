/* QEMU's mps2-an385: a Cortex-M3 with a CMSDK UART, received by interrupt as on a real board. Cells and flash are the
   model's arrays: the machine has neither.

   The receive interrupt is cleared before the data register is read: the other way round a byte that arrives in
   between raises nothing, and is found only when the next one comes. */
#include <string.h>

#include "model.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define UART_DATA REGISTER(0x40004000)
#define UART_STATE REGISTER(0x40004004)
#define UART_CONTROL REGISTER(0x40004008)
#define UART_INTERRUPT REGISTER(0x4000400C)
#define UART_DIVIDER REGISTER(0x40004010)
#define TX_FULL 1u
#define RX_FULL 2u
#define TX_ON 1u
#define RX_ON 2u
#define RX_INTERRUPT 8u
#define RX_PENDING 2u
#define NVIC_ENABLE REGISTER(0xE000E100)
#define UART_RX_LINE 0u
#define TICK_CONTROL REGISTER(0xE000E010)
#define TICK_RELOAD REGISTER(0xE000E014)
#define TICK_ON 7u
#define CLOCK_HZ 25000000u
#define RING_BYTES 16384u /* a window of frames and more, so that nothing is lost while an image is checked */

extern uint32_t data_start, data_end, data_load, bss_start, bss_end, stack_top;

static uint8_t ring[RING_BYTES];
static volatile uint32_t ring_in, ring_out;
static volatile uint32_t now_ms;

uint32_t model_power(uint32_t count) { return count; }

static void uart_rx(void) {
    UART_INTERRUPT = RX_PENDING;
    while (UART_STATE & RX_FULL) {
        uint8_t byte = (uint8_t)UART_DATA;
        if (ring_in - ring_out < RING_BYTES)
            ring[ring_in++ % RING_BYTES] = byte;
    }
}

static void tick(void) { now_ms++; }

size_t jf_hal_read(uint8_t *to, size_t room) {
    size_t count = 0;
    while (count < room && ring_out != ring_in)
        to[count++] = ring[ring_out++ % RING_BYTES];
    return count;
}

void jf_hal_write(const uint8_t *from, size_t count) {
    while (count--) {
        while (UART_STATE & TX_FULL)
            ;
        UART_DATA = *from++;
    }
}

uint32_t jf_hal_ms(void) { return now_ms; }

void jf_hal_baud(uint32_t baud) {
    model.baud = baud;
    UART_DIVIDER = CLOCK_HZ / baud;
}

static void hang(void) {
    for (;;)
        ;
}

__attribute__((noreturn)) void reset(void);

typedef void (*vector)(void);
__attribute__((section(".vectors"), used)) static const vector vectors[17] = {
    (vector)&stack_top, reset, hang, hang, hang, hang, hang, 0, 0, 0, 0, hang, hang, 0, hang, tick, uart_rx,
};

void reset(void) {
    static const uint32_t rates[] = JF_BAUD;
    memcpy(&data_start, &data_load, (size_t)((char *)&data_end - (char *)&data_start));
    memset(&bss_start, 0, (size_t)((char *)&bss_end - (char *)&bss_start));
    memset(model.flash, 0xFF, sizeof model.flash);
    TICK_RELOAD = CLOCK_HZ / 1000 - 1;
    TICK_CONTROL = TICK_ON;
    UART_DIVIDER = CLOCK_HZ / rates[0];
    UART_CONTROL = TX_ON | RX_ON | RX_INTERRUPT;
    NVIC_ENABLE = 1u << UART_RX_LINE;
    jf_start(JF_SAFE_REASON_POWER_UP, 0);
    for (;;)
        jf_poll();
}
