/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sip/ua-module.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>

typedef struct
{
  guintptr address;
  UaModule module;
} Search;

static int
on_object (struct dl_phdr_info *info, size_t size, void *data)
{
  Search *search = data;
  UaModule range = { UINTPTR_MAX, 0 };

  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD)
      {
        guintptr start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        range.start = MIN (range.start, start);
        range.end = MAX (range.end, start + info->dlpi_phdr[i].p_memsz);
      }
  if (search->address < range.start || search->address >= range.end)
    return 0;
  /* The first object is the program: a symbol that is ours already, or a library linked statically. */
  if (info->dlpi_name != NULL && *info->dlpi_name != '\0')
    search->module = range;
  return 1;
}

gboolean
ua_module_find (const char *symbol, UaModule *ret_module)
{
  Search search = { .address = (guintptr) dlsym (RTLD_DEFAULT, symbol) };

  if (search.address != 0)
    dl_iterate_phdr (on_object, &search);
  *ret_module = search.module;
  return search.module.end != 0;
}
