/* The firmware as a process: it prints the port it answers on (a pseudo-terminal) and runs until its input ends. */
#define _XOPEN_SOURCE 600
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "model.h"

#define WRITE_WAIT_MS 100
#define IDLE_MS 10

static int line;

uint32_t model_power(uint32_t count) { return count; }

size_t jf_hal_read(uint8_t *to, size_t room) {
    ssize_t count = read(line, to, room);
    return count > 0 ? (size_t)count : 0;
}

/* Like a UART: what nobody takes is lost. */
void jf_hal_write(const uint8_t *from, size_t count) {
    struct pollfd ready = {line, POLLOUT, 0};
    while (count) {
        ssize_t written = write(line, from, count);
        if (written > 0) {
            from += written;
            count -= (size_t)written;
        } else if (poll(&ready, 1, WRITE_WAIT_MS) < 1) {
            return;
        }
    }
}

uint32_t jf_hal_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u);
}

void jf_hal_baud(uint32_t baud) { model.baud = baud; }

/* Raw before anybody learns the name, and one slave descriptor kept open. */
static int open_line(void) {
    struct termios raw;
    int slave;
    line = posix_openpt(O_RDWR | O_NOCTTY);
    if (line < 0 || grantpt(line) || unlockpt(line))
        return -1;
    slave = open(ptsname(line), O_RDWR | O_NOCTTY);
    if (slave < 0 || tcgetattr(slave, &raw))
        return -1;
    raw.c_iflag = raw.c_oflag = raw.c_lflag = 0;
    raw.c_cflag |= CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(slave, TCSANOW, &raw) || fcntl(line, F_SETFL, O_NONBLOCK))
        return -1;
    return puts(ptsname(line)) < 0 || fflush(stdout) ? -1 : 0;
}

int main(void) {
    struct pollfd waits[2] = {{0, POLLIN, 0}, {0, POLLIN, 0}};
    memset(model.flash, 0xFF, sizeof model.flash);
    if (open_line()) {
        perror("no pseudo-terminal");
        return 1;
    }
    waits[1].fd = line;
    jf_start(JF_SAFE_REASON_POWER_UP, 0);
    for (;;) {
        poll(waits, 2, IDLE_MS);
        if (waits[0].revents)
            return 0;
        jf_poll();
    }
}
