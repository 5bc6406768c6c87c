/* A board made of arrays, for the builds that run on a host. */
#ifndef MODEL_H
#define MODEL_H

#include "jf_hal.h"

typedef struct {
    jf_setting cell[JF_BANKS][JF_CELLS];
    uint16_t trim[JF_BANKS][JF_NODES];
    uint8_t flash[JF_SLOTS][JF_FLASH_SLOT_BYTES];
    uint32_t flash_operations;
    uint32_t misuses; /* pages programmed without an erase */
    uint32_t baud;
    uint32_t scans;
    bool live;
    bool endless; /* runs go on until they are stopped */
} board_model;

extern board_model model;

/* Asked before each flash operation on `count` bytes: of how many of them it may be done before the power fails;
   `count` if it does not fail. Called again, after the operation, with 0. */
uint32_t model_power(uint32_t count);

#endif
