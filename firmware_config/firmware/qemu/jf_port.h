/* The port of QEMU's mps2-an385. */
#ifndef JF_PORT_H
#define JF_PORT_H

#define JF_FLASH_PAGE_BYTES 64u
#define JF_FLASH_SECTOR_BYTES 1024u
#define JF_FLASH_SLOT_BYTES ((JF_IMAGE_BYTES / JF_FLASH_SECTOR_BYTES + 2u) * JF_FLASH_SECTOR_BYTES)
#define JF_FLASH_MS 3000u
#define JF_STEP_BYTES 4096u
#define JF_HAS_BAUD 1
#define JF_REPLY_MS 2000u /* the machine may have to wait for a processor */

#endif
