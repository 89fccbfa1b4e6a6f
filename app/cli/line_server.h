// Many clients that send and get lines, in one thread that waits for all of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/cli/line_socket.h"

namespace app {

// A client can do no harm: it that sends a line that is too long, or reads too slowly, is closed; the others wait for
// nobody. Every function but wake() belongs to the thread of run().
class LineServer {
public:
    using Client = int;
    struct Limits {
        std::size_t clients = 32;
        std::size_t line = std::size_t{16} << 20;     // bytes of a line that came
        std::size_t first_line = 4096;                // the same before a client was admitted
        std::size_t unread = std::size_t{32} << 20;   // bytes that wait for a client
        std::chrono::seconds patience{10};            // for a client to be admitted
    };
    struct Handler {
        std::function<void(Client)> arrived{};                        // may admit it
        std::function<void(Client, const std::string& line)> line{};
        std::function<void(Client)> gone{};                           // the number may come back
        std::function<bool(Client)> expects{};                        // whether it may still get lines after its last one
        std::function<void()> woken{};                                // after wake()
        std::function<void(int signal)> signal{};                     // SIGINT or SIGTERM came
    };

    // From now on SIGINT and SIGTERM come to the handler: they are blocked for this thread and those that it starts.
    LineServer(Limits limits, Handler handler);
    ~LineServer();

    void listen(Fd socket) { listening_.push_back(std::move(socket)); }
    void run();                              // until stop()
    void stop() { stopping_ = true; }        // what clients have not read yet still goes out, for a second
    void wake();                             // from any thread

    void admit(Client client);               // it has said who it is
    void send(Client client, const std::string& line);
    // Bytes that wait for it.
    std::size_t unread(Client client) const;
    void close(Client client);               // when it has read what waits for it

private:
    struct State {
        Fd socket;
        std::string in, out;
        std::size_t looked = 0;       // bytes of `in` without an end of line
        bool admitted = false, ended = false, closing = false, broken = false;
        std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
    };
    void accept_from(const Fd& socket);
    void receive(Client client);
    void write_to(State& state);
    void drop_dead();
    bool flushed() const;
    int wait_ms() const;

    Limits limits_;
    Handler handler_;
    std::vector<Fd> listening_;
    Fd wake_, signals_;
    std::map<Client, State> clients_;
    bool stopping_ = false;
};

}  // namespace app
