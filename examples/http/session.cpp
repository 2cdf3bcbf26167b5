#include "session.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <string>
#include <utility>

#include "answer.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::use_awaitable;
using namespace asio::experimental::awaitable_operators;

namespace {

constexpr std::size_t largest_upload = std::size_t{64} << 20;  // bytes
constexpr auto patience_with_clients = std::chrono::seconds(30);
constexpr auto patience_with_decoders = std::chrono::seconds(20);

using Parser = http::request_parser<http::buffer_body>;

// Returns when the client has closed its side.
asio::awaitable<void> has_gone(asio::ip::tcp::socket& socket) {
  co_await socket.async_wait(asio::socket_base::wait_read, use_awaitable);
  std::array<char, 1> next;
  boost::system::error_code error;
  const std::size_t more =
      socket.receive(asio::buffer(next), asio::socket_base::message_peek, error);
  if (more == 0) co_return;
  // Its next request waits there: what comes behind that cannot be seen.
  asio::steady_timer never(socket.get_executor(), asio::steady_timer::time_point::max());
  co_await never.async_wait(use_awaitable);
}

class Answering {
 public:
  explicit Answering(Counts& counts) : counts_(counts) { ++counts_.answering; }
  ~Answering() { --counts_.answering; }
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

 private:
  Counts& counts_;
};

Answer too_large() {
  return text_answer(http::status::payload_too_large,
                     "at most " + std::to_string(largest_upload) + " bytes");
}

class Session {
 public:
  Session(asio::ip::tcp::socket socket, bulkhead::Pool<Shrinker>& pool, Counts& counts)
      : stream_(std::move(socket)), pool_(pool), counts_(counts) {}

  asio::awaitable<void> run() {
    for (bool more = true; more;) {
      stream_.expires_after(patience_with_clients);
      Parser request;
      request.body_limit(largest_upload);
      boost::system::error_code error;
      co_await http::async_read_header(stream_, buffer_, request,
                                       asio::redirect_error(use_awaitable, error));
      if (error && error != http::error::body_limit) co_return;
      const Answering answering(counts_);
      std::optional<Answer> answer = too_large();
      if (!error) answer = co_await answer_to(request);
      if (!answer) co_return;
      more = request.is_done() && request.keep_alive();
      answer->keep_alive(more);
      stream_.expires_after(patience_with_clients);
      co_await http::async_write(stream_, *answer, use_awaitable);
    }
  }

 private:
  // None: there is nobody left to be answered.
  asio::awaitable<std::optional<Answer>> answer_to(Parser& request) {
    const auto method = request.get().method();
    if (method == http::verb::get && request.get().target() == "/stats") co_return stats();
    if (method != http::verb::post)
      co_return text_answer(http::status::method_not_allowed, "POST an image, or GET /stats");
    if (!request.content_length())
      co_return text_answer(http::status::length_required, "say how long it is");
    bulkhead::Bytes upload;
    try {
      upload = co_await receive_upload(request);
    } catch (const bulkhead::BytesExhausted&) {
      co_return text_answer(http::status::service_unavailable, "too many uploads at once");
    }
    co_return co_await shrink(std::move(upload));
  }

  // Into memory that the worker reads in place.
  asio::awaitable<bulkhead::Bytes> receive_upload(Parser& request) {
    if (request.get()[http::field::expect] == "100-continue") {
      const http::response<http::empty_body> go_on(http::status::continue_, 11);
      http::serializer<false, http::empty_body> writer(go_on);
      co_await http::async_write(stream_, writer, use_awaitable);
    }
    bulkhead::MutableBytes upload = pool_.make_bytes(*request.content_length());
    auto& body = request.get().body();
    body.data = upload.data();
    body.size = upload.size();
    body.more = false;
    co_await http::async_read(stream_, buffer_, request, use_awaitable);
    co_return std::move(upload);
  }

  // Whoever is first ends the other: an answer, or the client that does not want it any more.
  asio::awaitable<std::optional<Answer>> shrink(bulkhead::Bytes upload) {
    stream_.expires_never();
    const Shrink request{.upload = std::move(upload)};
    const bulkhead::RunOptions options{.timeout = patience_with_decoders};
    const auto first = co_await (pool_.async_run(request, options, asio::as_tuple(use_awaitable)) ||
                                 has_gone(stream_.socket()));
    if (first.index() == 1) {
      ++counts_.abandoned;
      co_return std::nullopt;
    }
    const auto& [error, jpeg] = std::get<0>(first);
    ++(error ? counts_.failed : counts_.shrunk);
    co_return error ? failure_answer(error) : jpeg_answer(jpeg);
  }

  Answer stats() const {
    const bulkhead::PoolStats now = pool_.stats();
    return text_answer(http::status::ok, "shrunk " + std::to_string(counts_.shrunk) + "\nfailed " +
                                             std::to_string(counts_.failed) + "\nabandoned " +
                                             std::to_string(counts_.abandoned) + "\nunder way " +
                                             std::to_string(now.in_flight + now.queued) +
                                             "\nworkers " + std::to_string(now.workers) +
                                             "\ncrashes " + std::to_string(now.crashes));
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  bulkhead::Pool<Shrinker>& pool_;
  Counts& counts_;
};

}  // namespace

asio::awaitable<void> serve_client(asio::ip::tcp::socket socket, bulkhead::Pool<Shrinker>& pool,
                                   Counts& counts) {
  Session session(std::move(socket), pool, counts);
  co_await session.run();
}
