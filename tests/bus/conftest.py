# SPDX-License-Identifier: LGPL-2.1-or-later
import pytest

import phonebus


@pytest.fixture
def phone(request):
    """A running daemon; @pytest.mark.daemon("--linger", "1") gives it arguments. It must end with status 0."""
    marker = request.node.get_closest_marker("daemon")
    running = phonebus.Phone(*(marker.args if marker else ()))
    yield running
    assert running.stop() == 0


@pytest.fixture
def client(phone):
    """A client that listens, and an account 'alice' that is registered."""
    connection = phone.client().listen()
    account = connection.add_account("alice", aor="sip:alice@example.org")
    phonebus.wait(lambda: connection.get(account, phonebus.ACCOUNT, "Registration") == "registered", "the registration")
    return connection


def pytest_configure(config):
    config.addinivalue_line("markers", "daemon(*arguments): arguments of the fake daemon")
