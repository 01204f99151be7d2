/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sip/ua-module.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

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

/* ---- what a library refers to ---- */

#if __ELF_NATIVE_CLASS == 64
#define RELOCATION_SYMBOL(info) ELF64_R_SYM (info)
#else
#define RELOCATION_SYMBOL(info) ELF32_R_SYM (info)
#endif

typedef struct
{
  guintptr base;
  const ElfW (Sym) *symbols;
  const char *strings;
  guintptr table[2];            /* relocations: of calls, of data */
  gsize size[2];
  gsize entry[2];
} Dynamic;

typedef struct
{
  const UaModule *module;
  const char *name;
  gboolean found;
} Import;

/* glibc turns the addresses of the dynamic section into absolute ones where it is writable, other C libraries
 * do not. */
static guintptr
absolute (const Dynamic *dynamic, guintptr address)
{
  return address < dynamic->base ? dynamic->base + address : address;
}

static void
read_dynamic (Dynamic *dynamic, const ElfW (Dyn) *entry)
{
  dynamic->entry[0] = sizeof (ElfW (Rela));
  for (; entry->d_tag != DT_NULL; entry++)
    switch (entry->d_tag)
      {
      case DT_SYMTAB:
        dynamic->symbols = (const void *) absolute (dynamic, entry->d_un.d_ptr);
        break;
      case DT_STRTAB:
        dynamic->strings = (const void *) absolute (dynamic, entry->d_un.d_ptr);
        break;
      case DT_JMPREL:
        dynamic->table[0] = absolute (dynamic, entry->d_un.d_ptr);
        break;
      case DT_PLTRELSZ:
        dynamic->size[0] = entry->d_un.d_val;
        break;
      case DT_PLTREL:
        dynamic->entry[0] = entry->d_un.d_val == DT_REL ? sizeof (ElfW (Rel)) : sizeof (ElfW (Rela));
        break;
      case DT_RELA:
      case DT_REL:
        dynamic->table[1] = absolute (dynamic, entry->d_un.d_ptr);
        dynamic->entry[1] = entry->d_tag == DT_REL ? sizeof (ElfW (Rel)) : sizeof (ElfW (Rela));
        break;
      case DT_RELASZ:
      case DT_RELSZ:
        dynamic->size[1] = entry->d_un.d_val;
        break;
      default:
        break;
      }
}

static gboolean
refers_to (const Dynamic *dynamic, const char *name)
{
  if (dynamic->symbols == NULL || dynamic->strings == NULL)
    return FALSE;
  for (int t = 0; t < 2; t++)
    for (gsize at = 0; dynamic->table[t] != 0 && at + dynamic->entry[t] <= dynamic->size[t];
         at += dynamic->entry[t])
      {
        /* Rel is the beginning of Rela. */
        const ElfW (Rel) *relocation = (const void *) (dynamic->table[t] + at);
        gsize symbol = RELOCATION_SYMBOL (relocation->r_info);
        if (symbol != 0 && g_str_equal (dynamic->strings + dynamic->symbols[symbol].st_name, name))
          return TRUE;
      }
  return FALSE;
}

static int
on_import_object (struct dl_phdr_info *info, size_t size, void *data)
{
  Import *import = data;
  Dynamic dynamic = { .base = info->dlpi_addr };
  gboolean is_it = FALSE;

  for (int i = 0; i < info->dlpi_phnum; i++)
    {
      guintptr start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
      if (info->dlpi_phdr[i].p_type == PT_LOAD)
        is_it |= start >= import->module->start && start < import->module->end;
      else if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
        read_dynamic (&dynamic, (const void *) start);
    }
  if (!is_it)
    return 0;
  import->found = refers_to (&dynamic, import->name);
  return 1;
}

gboolean
ua_module_imports (const UaModule *module, const char *name)
{
  Import import = { module, name, FALSE };

  dl_iterate_phdr (on_import_object, &import);
  return import.found;
}
