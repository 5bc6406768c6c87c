/* Generated from protocol.toml by generate.py; do not edit. */
#ifndef JF_PROTOCOL_H
#define JF_PROTOCOL_H

#define JF_PROTOCOL_VERSION 1
#define JF_REQUEST_HEADER_BYTES 3u
#define JF_REQUEST_NUMBER 0u
#define JF_REQUEST_SEQUENCE 1u
#define JF_REPLY_HEADER_BYTES 10u
#define JF_REPLY_NUMBER 0u
#define JF_REPLY_SEQUENCE 1u
#define JF_REPLY_ACK 3u
#define JF_REPLY_SACK 5u
#define JF_REPLY_CREDIT 9u

/* Who are you; starts a session: any sequence number is accepted and the next one expected is sequence + 1. */
#define JF_HELLO 0x01u
#define JF_HELLO_BYTES 5u
#define JF_HELLO_VERSION 0u
#define JF_HELLO_NONCE 1u

/* The board's answer to hello. */
#define JF_HELLO_ANSWER 0x81u
#define JF_HELLO_ANSWER_BYTES 107u
#define JF_HELLO_ANSWER_NONCE 0u
#define JF_HELLO_ANSWER_VERSION 4u
#define JF_HELLO_ANSWER_FEATURES 5u
#define JF_HELLO_ANSWER_BOARD_ID 7u
#define JF_HELLO_ANSWER_SPEC_NAME 23u
#define JF_HELLO_ANSWER_SPEC_DIGEST 39u
#define JF_HELLO_ANSWER_FIRMWARE_MAJOR 71u
#define JF_HELLO_ANSWER_FIRMWARE_MINOR 72u
#define JF_HELLO_ANSWER_FIRMWARE_PATCH 73u
#define JF_HELLO_ANSWER_FRAME_BYTES 74u
#define JF_HELLO_ANSWER_WINDOW 76u
#define JF_HELLO_ANSWER_INPUTS 77u
#define JF_HELLO_ANSWER_SEQUENCE_DEPTH 79u
#define JF_HELLO_ANSWER_REPLY_MS 81u
#define JF_HELLO_ANSWER_FLASH_MS 83u
#define JF_HELLO_ANSWER_WATCHDOG_MS 85u
#define JF_HELLO_ANSWER_IMAGE_BYTES 87u
#define JF_HELLO_ANSWER_IMAGE_CRC 91u
#define JF_HELLO_ANSWER_STAGED_CRC 95u
#define JF_HELLO_ANSWER_STAGED_OFFSET 99u
#define JF_HELLO_ANSWER_RUN_NUMBER 103u

/* Safe state at once, whatever the board is doing; starts a session like hello. */
#define JF_SAFE 0x02u
#define JF_SAFE_BYTES 4u
#define JF_SAFE_NONCE 0u

/* The board's answer to safe. */
#define JF_SAFE_ANSWER 0x82u
#define JF_SAFE_ANSWER_BYTES 4u
#define JF_SAFE_ANSWER_NONCE 0u

/* State, temperature, last run, configuration; the cheapest frame that feeds the watchdog. */
#define JF_STATUS 0x03u
#define JF_STATUS_BYTES 0u

/* The board's answer to status. */
#define JF_STATUS_ANSWER 0x83u
#define JF_STATUS_ANSWER_BYTES 34u
#define JF_STATUS_ANSWER_STATE 0u
#define JF_STATUS_ANSWER_SAFE_REASON 1u
#define JF_STATUS_ANSWER_TEMPERATURE_CC 2u
#define JF_STATUS_ANSWER_RUN_NUMBER 4u
#define JF_STATUS_ANSWER_SCANS 8u
#define JF_STATUS_ANSWER_OUTCOME 12u
#define JF_STATUS_ANSWER_IMAGE_CRC 13u
#define JF_STATUS_ANSWER_STAGED_CRC 17u
#define JF_STATUS_ANSWER_STAGED_OFFSET 21u
#define JF_STATUS_ANSWER_SLOT 25u
#define JF_STATUS_ANSWER_ERASES 26u
#define JF_STATUS_ANSWER_BROKEN_FRAMES 30u

/* Ends a run, then safe state. */
#define JF_STOP 0x04u
#define JF_STOP_BYTES 0u

/* The board's answer to stop. */
#define JF_STOP_ANSWER 0x84u
#define JF_STOP_ANSWER_BYTES 0u

/* Both sides change after the answer; the board goes back to its first rate if that does not work. */
#define JF_SET_BAUD 0x05u
#define JF_SET_BAUD_BYTES 4u
#define JF_SET_BAUD_BAUD 0u

/* The board's answer to set_baud. */
#define JF_SET_BAUD_ANSWER 0x85u
#define JF_SET_BAUD_ANSWER_BYTES 4u
#define JF_SET_BAUD_ANSWER_BAUD 0u

/* Opens a transfer. The same fields as the unfinished one, or as the one checked last, resume it. */
#define JF_STAGE_BEGIN 0x10u
#define JF_STAGE_BEGIN_BYTES 19u
#define JF_STAGE_BEGIN_KIND 0u
#define JF_STAGE_BEGIN_STEP 1u
#define JF_STAGE_BEGIN_LENGTH 3u
#define JF_STAGE_BEGIN_CRC 7u
#define JF_STAGE_BEGIN_BASE_CRC 11u
#define JF_STAGE_BEGIN_IMAGE_CRC 15u

/* The board's answer to stage_begin. */
#define JF_STAGE_BEGIN_ANSWER 0x90u
#define JF_STAGE_BEGIN_ANSWER_BYTES 4u
#define JF_STAGE_BEGIN_ANSWER_OFFSET 0u

/* A piece of the transfer; acknowledged, not answered; the only frame that may be taken out of order. */
#define JF_STAGE_DATA 0x11u
#define JF_STAGE_DATA_BYTES 6u
#define JF_STAGE_DATA_TRANSFER 0u
#define JF_STAGE_DATA_OFFSET 2u

/* Check length and CRC, work out the image, check its CRC and the range of every code and route. */
#define JF_STAGE_END 0x12u
#define JF_STAGE_END_BYTES 0u

/* The board's answer to stage_end. */
#define JF_STAGE_END_ANSWER 0x92u
#define JF_STAGE_END_ANSWER_BYTES 0u

/* Make the checked image the active one, in RAM; keep the one before it for rollback. */
#define JF_APPLY 0x13u
#define JF_APPLY_BYTES 0u

/* The board's answer to apply. */
#define JF_APPLY_ANSWER 0x93u
#define JF_APPLY_ANSWER_BYTES 4u
#define JF_APPLY_ANSWER_IMAGE_CRC 0u

/* Back to the configuration before the last apply; from a held step, to the image that the steps begin with. */
#define JF_ROLLBACK 0x14u
#define JF_ROLLBACK_BYTES 0u

/* The board's answer to rollback. */
#define JF_ROLLBACK_ANSWER 0x94u
#define JF_ROLLBACK_ANSWER_BYTES 4u
#define JF_ROLLBACK_ANSWER_IMAGE_CRC 0u

/* Bytes of the active image, read back from where the cells get them. */
#define JF_READ_IMAGE 0x15u
#define JF_READ_IMAGE_BYTES 4u
#define JF_READ_IMAGE_ORIGIN 0u

/* The board's answer to read_image. */
#define JF_READ_IMAGE_ANSWER 0x95u
#define JF_READ_IMAGE_ANSWER_BYTES 0u

/* Write the active image into the older flash slot, its header last. */
#define JF_COMMIT 0x16u
#define JF_COMMIT_BYTES 4u
#define JF_COMMIT_IMAGE_CRC 0u

/* The board's answer to commit. */
#define JF_COMMIT_ANSWER 0x96u
#define JF_COMMIT_ANSWER_BYTES 5u
#define JF_COMMIT_ANSWER_SLOT 0u
#define JF_COMMIT_ANSWER_ERASES 1u

/* Make a held step the active configuration. */
#define JF_SELECT_STEP 0x17u
#define JF_SELECT_STEP_BYTES 2u
#define JF_SELECT_STEP_STEP 0u

/* The board's answer to select_step. */
#define JF_SELECT_STEP_ANSWER 0x97u
#define JF_SELECT_STEP_ANSWER_BYTES 4u
#define JF_SELECT_STEP_ANSWER_IMAGE_CRC 0u

/* Bytes of the image that stage_end has checked last, read from where apply gets them; nothing changes. */
#define JF_READ_CHECKED 0x18u
#define JF_READ_CHECKED_BYTES 4u
#define JF_READ_CHECKED_ORIGIN 0u

/* The board's answer to read_checked. */
#define JF_READ_CHECKED_ANSWER 0x98u
#define JF_READ_CHECKED_ANSWER_BYTES 0u

/* Preset codes into the input memory. */
#define JF_WRITE_INPUTS 0x20u
#define JF_WRITE_INPUTS_BYTES 4u
#define JF_WRITE_INPUTS_START 0u

/* The board's answer to write_inputs. */
#define JF_WRITE_INPUTS_ANSWER 0xA0u
#define JF_WRITE_INPUTS_ANSWER_BYTES 0u

/* Injection codes into the injection memory. */
#define JF_WRITE_INJECTION 0x21u
#define JF_WRITE_INJECTION_BYTES 4u
#define JF_WRITE_INJECTION_START 0u

/* The board's answer to write_injection. */
#define JF_WRITE_INJECTION_ANSWER 0xA1u
#define JF_WRITE_INJECTION_ANSWER_BYTES 0u

/* Run the inputs first .. first + inputs - 1; answered at the start, `done` follows at the end. */
#define JF_RUN 0x30u
#define JF_RUN_BYTES 17u
#define JF_RUN_RUN_NUMBER 0u
#define JF_RUN_MODE 4u
#define JF_RUN_FIRST 5u
#define JF_RUN_INPUTS 7u
#define JF_RUN_HOLD_TICKS 9u
#define JF_RUN_STEP 13u
#define JF_RUN_STEPS 15u
#define JF_RUN_PROBES 16u

/* The board's answer to run. */
#define JF_RUN_ANSWER 0xB0u
#define JF_RUN_ANSWER_BYTES 4u
#define JF_RUN_ANSWER_RUN_NUMBER 0u

/* Nothing but its header. */
#define JF_ACK 0xC0u
#define JF_ACK_BYTES 0u

/* A frame was thrown away. Its sequence is in the header, 0 if it could not be read. */
#define JF_NAK 0xC1u
#define JF_NAK_BYTES 1u
#define JF_NAK_REASON 0u

/* Takes the place of an answer: the request was understood and refused; nothing changed. */
#define JF_ERROR 0xC2u
#define JF_ERROR_BYTES 11u
#define JF_ERROR_CODE 0u
#define JF_ERROR_BANK 1u
#define JF_ERROR_FIELD 2u
#define JF_ERROR_PLACE 3u
#define JF_ERROR_VALUE 7u

/* A run has ended; the sequence in the header is that of its request. Sent once: status says the same. */
#define JF_DONE 0xC3u
#define JF_DONE_BYTES 9u
#define JF_DONE_RUN_NUMBER 0u
#define JF_DONE_SCANS 4u
#define JF_DONE_OUTCOME 8u

/* Bits of hello's features */
#define JF_FEATURE_FLASH 1u
#define JF_FEATURE_SEQUENCE 2u
#define JF_FEATURE_BAUD 4u
#define JF_FEATURE_DRIVE 8u

/* States of the board */
#define JF_STATE_SAFE 0u
#define JF_STATE_IDLE 1u
#define JF_STATE_RUNNING 2u
#define JF_STATE_HOLDING 3u

/* Why the board went safe */
#define JF_SAFE_REASON_NONE 0u
#define JF_SAFE_REASON_POWER_UP 1u
#define JF_SAFE_REASON_RESET 2u
#define JF_SAFE_REASON_WATCHDOG 3u
#define JF_SAFE_REASON_STOP 4u
#define JF_SAFE_REASON_REQUEST 5u
#define JF_SAFE_REASON_SELF_TEST 6u

/* How the last run ended */
#define JF_OUTCOME_NONE 0u
#define JF_OUTCOME_COMPLETE 1u
#define JF_OUTCOME_STOPPED 2u
#define JF_OUTCOME_WATCHDOG 3u

/* What a transfer carries */
#define JF_STAGED_KIND_WHOLE 0u
#define JF_STAGED_KIND_DELTA 1u
#define JF_STAGED_KIND_STEP 2u

/* Modes of a run */
#define JF_MODE_RUN 0u
#define JF_MODE_WATCH 1u
#define JF_MODE_HOLD_PRESET 2u
#define JF_MODE_SPIKES 3u

/* Why a frame was thrown away */
#define JF_NAK_REASON_BROKEN 1u
#define JF_NAK_REASON_GAP 2u
#define JF_NAK_REASON_NO_SESSION 3u

/* Errors */
#define JF_ERROR_CODE_UNSUPPORTED 1u
#define JF_ERROR_CODE_BAD_LENGTH 2u
#define JF_ERROR_CODE_BUSY 3u
#define JF_ERROR_CODE_NO_STAGE 4u
#define JF_ERROR_CODE_INCOMPLETE 5u
#define JF_ERROR_CODE_STAGE_CRC 6u
#define JF_ERROR_CODE_STAGE_LENGTH 7u
#define JF_ERROR_CODE_WRONG_BASE 8u
#define JF_ERROR_CODE_WRONG_IMAGE 9u
#define JF_ERROR_CODE_BAD_DELTA 10u
#define JF_ERROR_CODE_CODE_RANGE 11u
#define JF_ERROR_CODE_ROUTE_RANGE 12u
#define JF_ERROR_CODE_NOTHING_STAGED 13u
#define JF_ERROR_CODE_NO_PREVIOUS 14u
#define JF_ERROR_CODE_INPUT_RANGE 15u
#define JF_ERROR_CODE_INPUT_CODE 16u
#define JF_ERROR_CODE_BAD_PROGRAM 17u
#define JF_ERROR_CODE_NOT_CONFIGURED 18u
#define JF_ERROR_CODE_OUT_OF_BOUNDS 19u
#define JF_ERROR_CODE_BAD_KIND 20u
#define JF_ERROR_CODE_SELF_TEST 21u
#define JF_ERROR_CODE_FLASH 22u
#define JF_ERROR_CODE_BAUD 23u
#define JF_ERROR_CODE_NO_STEP 24u

/* `field` of bad_program */
#define JF_PROGRAM_PART_MODE 0u
#define JF_PROGRAM_PART_INPUTS 1u
#define JF_PROGRAM_PART_STEPS 2u
#define JF_PROGRAM_PART_SCAN 3u
#define JF_PROGRAM_PART_SEQUENCE 4u
#define JF_PROGRAM_PART_DRIVE 5u

/* X(name, number, bytes of the fixed fields, tail follows, pure question, refused in a run, feature) */
#define JF_REQUESTS(X) \
    X(hello, 0x01, 5, 0, 1, 0, 0) \
    X(safe, 0x02, 4, 0, 0, 0, 0) \
    X(status, 0x03, 0, 0, 1, 0, 0) \
    X(stop, 0x04, 0, 0, 0, 0, 0) \
    X(set_baud, 0x05, 4, 0, 0, 0, JF_FEATURE_BAUD) \
    X(stage_begin, 0x10, 19, 0, 0, 0, 0) \
    X(stage_data, 0x11, 6, 1, 0, 0, 0) \
    X(stage_end, 0x12, 0, 0, 0, 0, 0) \
    X(apply, 0x13, 0, 0, 0, 1, 0) \
    X(rollback, 0x14, 0, 0, 0, 1, 0) \
    X(read_image, 0x15, 4, 1, 1, 0, 0) \
    X(commit, 0x16, 4, 0, 0, 1, JF_FEATURE_FLASH) \
    X(select_step, 0x17, 2, 0, 0, 1, JF_FEATURE_SEQUENCE) \
    X(read_checked, 0x18, 4, 1, 1, 0, 0) \
    X(write_inputs, 0x20, 4, 1, 0, 1, 0) \
    X(write_injection, 0x21, 4, 1, 0, 1, JF_FEATURE_DRIVE) \
    X(run, 0x30, 17, 1, 0, 1, 0)

#endif
