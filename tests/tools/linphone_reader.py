# SPDX-License-Identifier: LGPL-2.1-or-later
"""linphone's library as somebody who reads: what its command line client cannot do, and what it never does by itself (it sends no report before it
is told that there is a network). Started by linphone.LinphoneReader as a process: linphone_reader.py CONFIG. Says "registered" once, and
"unread N" and "members URI=ENDPOINT ..." whenever that changes: of the conference that its call is in, without itself. Takes every call. A line on
standard input: all is read."""
import ctypes
import os
import select
import sys

REGISTERED, INCOMING = 2, 1
POINTER, TEXT, INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
FUNCTIONS = {
    "linphone_factory_get": (POINTER,),
    "linphone_factory_create_core_3": (POINTER, POINTER, TEXT, TEXT, POINTER),
    "linphone_core_start": (INT, POINTER),
    "linphone_core_set_network_reachable": (None, POINTER, INT),
    "linphone_core_iterate": (None, POINTER),
    "linphone_core_get_default_account": (POINTER, POINTER),
    "linphone_core_get_chat_rooms": (POINTER, POINTER),
    "linphone_account_get_state": (INT, POINTER),
    "linphone_core_set_use_files": (None, POINTER, INT),
    "linphone_core_get_calls": (POINTER, POINTER),
    "linphone_call_get_state": (INT, POINTER),
    "linphone_call_accept": (INT, POINTER),
    "linphone_call_get_conference": (POINTER, POINTER),
    "linphone_conference_get_participant_list": (POINTER, POINTER),
    "linphone_participant_get_address": (POINTER, POINTER),
    "linphone_participant_get_devices": (POINTER, POINTER),
    "linphone_participant_device_get_address": (POINTER, POINTER),
    "linphone_address_as_string_uri_only": (TEXT, POINTER),
    "linphone_chat_room_get_unread_messages_count": (INT, POINTER),
    "linphone_chat_room_mark_as_read": (None, POINTER),
    "bctbx_list_get_data": (POINTER, POINTER),
    "bctbx_list_next": (POINTER, POINTER),
}


def items(library, at):
    while at:
        yield library.bctbx_list_get_data(at)
        at = library.bctbx_list_next(at)


def rooms(library, core):
    return items(library, library.linphone_core_get_chat_rooms(core))


def members(library, core):
    def text(address):
        return library.linphone_address_as_string_uri_only(address).decode()

    found = []
    for call in items(library, library.linphone_core_get_calls(core)):
        if library.linphone_call_get_state(call) == INCOMING:
            library.linphone_call_accept(call)
        conference = library.linphone_call_get_conference(call)
        for one in items(library, library.linphone_conference_get_participant_list(conference)) if conference else ():
            devices = [text(library.linphone_participant_device_get_address(device))
                       for device in items(library, library.linphone_participant_get_devices(one))]
            found.append(text(library.linphone_participant_get_address(one)) + "=" + ",".join(devices))
    return " ".join(sorted(found))


def main(config):
    library = ctypes.CDLL("liblinphone.so.10")
    for name, (result, *arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    core = library.linphone_factory_create_core_3(library.linphone_factory_get(), os.fsencode(config), None, None)
    library.linphone_core_set_use_files(core, 1)
    library.linphone_core_start(core)
    library.linphone_core_set_network_reachable(core, 1)
    registered, unread, known = False, 0, ""
    while True:
        library.linphone_core_iterate(core)
        if not registered and library.linphone_account_get_state(library.linphone_core_get_default_account(core)) == REGISTERED:
            registered = True
            print("registered", flush=True)
        now = sum(library.linphone_chat_room_get_unread_messages_count(room) for room in rooms(library, core))
        if now != unread:
            unread = now
            print("unread", unread, flush=True)
        if (there := members(library, core)) != known:
            known = there
            print("members", known, flush=True)
        if select.select([sys.stdin], [], [], 0.02)[0]:
            if not sys.stdin.readline():
                return
            for room in rooms(library, core):
                library.linphone_chat_room_mark_as_read(room)


main(sys.argv[1])
