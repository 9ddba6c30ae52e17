"""The servers that tests and drills stand on."""

import os
import socket
import threading
import time

import psycopg
import pytest
from postgres.clusters import Cluster

from tap_templates.local import postgres
from tap_templates.local.link import Link
from tap_templates.local.postgres import PostgresError, Server, binaries

pytestmark = pytest.mark.postgres


def test_missing_binaries_are_told(tmp_path):
    with pytest.raises(PostgresError, match="no binaries of PostgreSQL 16") as caught:
        binaries(package="no_such_package")
    assert "make setup" in caught.value.remedy


def test_an_empty_package_has_no_binaries(tmp_path, monkeypatch):
    (tmp_path / "hollow").mkdir()
    (tmp_path / "hollow" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PostgresError):
        binaries(package="hollow")


def test_a_server_listens_on_the_loopback_alone_and_is_not_root(server):
    with Cluster(server, "postgres").master() as connection:
        shown = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')"
        ).fetchone()
        assert connection.info.backend_pid in server._children()
    assert shown == ("127.0.0.1", "")
    owner = (server.data / "PG_VERSION").stat().st_uid
    assert owner == server.folder.stat().st_uid != 0


def test_a_server_that_cannot_start_says_why(server):
    with Server.create() as second:
        second.port = server.port
        with pytest.raises(PostgresError, match="ended at once") as caught:
            second.start()
        assert str(second.log) in caught.value.remedy


def test_a_folder_that_is_no_server_cannot_be_promoted(server):
    with pytest.raises(PostgresError, match="pg_ctl failed"):
        server.promote()


def test_kill_ends_every_process_and_what_was_committed_stays():
    with Server.create() as own:
        cluster = Cluster(own.start(), "postgres")
        with cluster.master() as connection:
            connection.execute("CREATE TABLE t AS SELECT 1 AS n")
            connection.execute("BEGIN")
            connection.execute("INSERT INTO t VALUES (2)")
            before = [*own._children(), own._process.pid]
            own.kill()
            assert not own.is_running
            assert not set(before) & set(postgres.living())
            with pytest.raises(psycopg.OperationalError):
                connection.execute("COMMIT")
            connection.close()
        own.start()
        assert cluster.rows("SELECT n FROM t") == [(1,)]
        own.stop()
        assert not own.is_running
        own.kill()  # of what is down is nothing
        folder = own.folder
    assert not folder.exists()


def test_a_frozen_server_answers_when_it_is_thawed(server):
    with Cluster(server, "postgres").master() as connection:
        answered = threading.Event()

        def ask():
            connection.execute("SELECT 1")
            answered.set()

        server.freeze()
        thread = threading.Thread(target=ask)
        thread.start()
        try:
            assert not answered.wait(0.3)
        finally:
            server.thaw()
        assert answered.wait(5)
        thread.join()


def test_an_unused_port_is_free():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", postgres.free_port()))


def test_nothing_of_our_environment_reaches_a_server(monkeypatch):
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("SECRET", "example")
    options = postgres._as_unprivileged()
    assert options["env"].keys() == {"PATH", "LC_ALL"}
    assert ("user" in options) is (os.geteuid() == 0)


# The wire.


@pytest.fixture
def echo():
    """A server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection):
        with connection:
            while data := connection.recv(1000):
                connection.sendall(data)

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_link_forwards_stalls_and_goes_on(echo):
    with Link(echo) as link, socket.create_connection(("127.0.0.1", link.port)) as near:
        near.settimeout(5)
        near.sendall(b"one")
        assert near.recv(10) == b"one"
        link.stall()
        near.sendall(b"two")
        near.settimeout(0.3)
        with pytest.raises(TimeoutError):
            near.recv(10)
        link.flow()
        near.settimeout(5)
        assert near.recv(10) == b"two"


def test_what_a_stalled_link_holds_is_gone_when_it_is_cut(echo):
    with Link(echo) as link:
        with socket.create_connection(("127.0.0.1", link.port)) as near:
            near.settimeout(5)
            near.sendall(b"one")
            assert near.recv(10) == b"one"
            link.stall()
            near.sendall(b"lost")
            time.sleep(0.1)
            link.cut()
            assert ended(near)
        link.flow()
        with socket.create_connection(("127.0.0.1", link.port)) as again:
            again.settimeout(5)
            again.sendall(b"new")
            assert again.recv(10) == b"new"


def test_a_link_to_nobody_ends_its_connections():
    with (
        Link(postgres.free_port()) as link,
        socket.create_connection(("127.0.0.1", link.port)) as near,
    ):
        near.settimeout(5)
        assert ended(near)


def ended(connection):
    try:
        return connection.recv(10) == b""
    except ConnectionError:
        return True
