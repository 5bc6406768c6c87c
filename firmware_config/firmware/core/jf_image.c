/* The packed image: fields, what they may hold, and what the board gets. PROTOCOL.md section 3. */
#define JF_BOARD_TABLES
#include "jf_core.h"

#define TRIM_FIELD 255u

static uint16_t field_at(const uint8_t *image, uint32_t bit, unsigned width) {
    uint32_t value = 0, byte = bit / 8, last = (bit + width - 1) / 8;
    for (unsigned shift = 0; byte <= last; byte++, shift += 8)
        value |= (uint32_t)image[byte] << shift;
    return (uint16_t)(value >> bit % 8 & ((1u << width) - 1u));
}

/* Where a row of `count` records of `bits` bits at `start` shares bits with [first, end): first and end record. */
static void overlap(uint32_t start, uint32_t count, uint32_t bits, uint32_t *first, uint32_t *end) {
    uint32_t length = count * bits;
    uint32_t from = *first > start ? *first - start : 0, to = *end > start ? *end - start : 0;
    *first = from < length ? from / bits : count;
    *end = to < length ? (to + bits - 1) / bits : count;
}

static bool out_of_range(const uint8_t *image, const jf_field *field, uint32_t bit, uint16_t *value) {
    *value = field_at(image, bit, field->bits);
    return *value < field->least || *value > field->most;
}

static bool check_group(const uint8_t *image, uint32_t start, unsigned bank, const jf_group *group, jf_answer *answer) {
    uint32_t offset = 1; /* behind the enable bit, of which both values are good */
    uint16_t value;
    for (unsigned f = 1; f < group->fields; offset += group->field[f++].bits)
        for (uint32_t cell = 0; cell < group->cells; cell++)
            if (out_of_range(image, &group->field[f], start + cell * group->cell_bits + offset, &value)) {
                uint8_t code = f < 3 ? JF_ERROR_CODE_ROUTE_RANGE : JF_ERROR_CODE_CODE_RANGE;
                return jf_refuse_at(answer, code, bank, f - 1, group->first + cell, value);
            }
    return true;
}

bool jf_image_check(const uint8_t *image, jf_answer *answer) {
    uint32_t start = 0;
    uint16_t value;
    for (unsigned bank = 0; bank < JF_BANKS; bank++) {
        for (unsigned g = 0; g < JF_GROUPS; start += jf_groups[g].cells * jf_groups[g].cell_bits, g++)
            if (!check_group(image, start, bank, &jf_groups[g], answer))
                return false;
        for (unsigned node = 1; node <= JF_NODES; node++, start += jf_trim.bits)
            if (out_of_range(image, &jf_trim, start, &value))
                return jf_refuse_at(answer, JF_ERROR_CODE_CODE_RANGE, bank, TRIM_FIELD, node, value);
    }
    return true;
}

static void read_cell(const uint8_t *image, uint32_t bit, const jf_group *group, uint32_t cell, jf_setting *setting) {
    uint16_t value[3 + JF_MOST_PARAMETERS] = {0};
    for (unsigned f = 0; f < group->fields; bit += group->field[f++].bits)
        value[f] = field_at(image, bit, group->field[f].bits);
    for (unsigned f = 1; f < 3; f++)
        if (group->field[f].nodes)
            value[f] = group->field[f].nodes[cell * (group->field[f].most + 1u) + value[f]];
    setting->enable = value[0];
    setting->source = value[1];
    setting->destination = value[2];
    memcpy(setting->codes, value + 3, sizeof setting->codes);
}

/* Hand the settings that share the bytes [first, end) of the image to the board. */
void jf_image_touch(const uint8_t *image, uint32_t first, uint32_t end) {
    uint32_t start = 0;
    for (unsigned bank = 0; bank < JF_BANKS; bank++) {
        for (unsigned g = 0; g < JF_GROUPS; start += jf_groups[g].cells * jf_groups[g].cell_bits, g++) {
            const jf_group *group = &jf_groups[g];
            uint32_t cell = first * 8, last = end * 8;
            overlap(start, group->cells, group->cell_bits, &cell, &last);
            for (; cell < last; cell++) {
                jf_setting setting;
                read_cell(image, start + cell * group->cell_bits, group, cell, &setting);
                jf_hal_cell(bank, group->first + cell, &setting);
            }
        }
        uint32_t node = first * 8, last = end * 8;
        overlap(start, JF_NODES, jf_trim.bits, &node, &last);
        for (; node < last; node++)
            jf_hal_trim(bank, node + 1, field_at(image, start + node * jf_trim.bits, jf_trim.bits));
        start += JF_NODES * jf_trim.bits;
    }
}

/* The board held `before` (NULL: nothing known) and gets what differs. */
void jf_image_apply(const uint8_t *before, const uint8_t *image) {
    uint32_t byte = 0, first;
    if (!before) {
        jf_image_touch(image, 0, JF_IMAGE_BYTES);
        return;
    }
    while (byte < JF_IMAGE_BYTES) {
        for (first = byte; byte < JF_IMAGE_BYTES && image[byte] != before[byte]; byte++)
            ;
        if (byte > first)
            jf_image_touch(image, first, byte);
        else
            byte++;
    }
}

void jf_settings_again(void) { jf_image_touch(jf_active(), 0, JF_IMAGE_BYTES); }
