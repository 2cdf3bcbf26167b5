// Writes the seeds of each target's corpus below the folder in its argument, from real messages.
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "fuzz/ring_script.hpp"
#include "fuzz/values.hpp"
#include "ipc/ring_memory.hpp"
#include "rpc/wire.hpp"
#include "worker/control.hpp"
#include "worker/handshake.hpp"

namespace {

using namespace bulkhead;
using fuzz::Step;

class Seed {
 public:
  template <class Number>
  Seed& add(Number number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
    return *this;
  }
  template <class Bytes>
  Seed& add_all(const Bytes& bytes) {
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Corpus {
 public:
  Corpus(const std::filesystem::path& folder, const char* target) : folder_(folder / target) {
    std::filesystem::create_directories(folder_);
  }
  void put(const std::string& name, const Seed& seed) {
    std::ofstream(folder_ / name, std::ios::binary) << seed.bytes();
  }

 private:
  std::filesystem::path folder_;
};

void ring(Corpus corpus) {
  Seed rules, wrap, lies;
  for (const int size : {0, 8, 57, 900, 1016})
    rules.add(Step::write).add(static_cast<std::uint16_t>(size)).add(Step::read).add(Step::arm);
  for (int i = 0; i < 12; ++i) wrap.add(Step::write).add(std::uint16_t(1001)).add(Step::read);
  lies.add(Step::write).add(std::uint16_t(100)).add(Step::scribble).add(std::uint16_t(0));
  lies.add(std::uint8_t(8)).add(std::uint32_t(0xFFFF)).add(ipc::frame_mark).add(Step::read);
  corpus.put("rules", rules);
  corpus.put("wrap", wrap);
  corpus.put("size", lies);
  corpus.put("tail", Seed().add(Step::move_tail).add(std::int16_t(64)).add(Step::read));
  corpus.put("far", Seed().add(Step::set_tail).add(std::uint64_t(8192)).add(Step::read));
  corpus.put("head", Seed().add(Step::set_head).add(std::uint64_t(64)).add(Step::write));
  corpus.put("ear", Seed().add(Step::reader_sleeps).add(std::uint32_t(2)).add(Step::arm));
}

// As the calls that the target gives: call N in slot N - 1, with ticket N.
rpc::Head answer(rpc::CallId id, rpc::Kind kind, std::uint64_t size) {
  return {.id = id,
          .ticket = id,
          .slot = static_cast<rpc::Slot>(id - 1),
          .kind = kind,
          .request = 3,
          .size = size};
}

Seed frame(const rpc::Head& head, std::string_view body, bool goes_on = false) {
  const auto size = static_cast<std::uint16_t>(sizeof head + body.size());
  return Seed().add(std::uint16_t(size | (goes_on ? 0x8000 : 0))).add(head).add_all(body);
}

void messages(Corpus corpus) {
  detail::Buffer packed;
  detail::encode(packed, std::string("an answer"));
  const std::string_view response(reinterpret_cast<const char*>(packed.data()), packed.size());
  using rpc::Kind;
  corpus.put("ready", frame({.slot = 1, .kind = Kind::ready}, ""));
  corpus.put("refused", frame({.kind = Kind::refused, .size = 2}, "no"));
  corpus.put("response", frame(answer(1, Kind::response, response.size()), response));
  corpus.put("threw", frame(answer(2, Kind::threw, 8), std::string_view("type\0why", 8)));
  corpus.put("too_large", frame(answer(3, Kind::too_large, 4), "4711"));
  corpus.put("progress", frame(answer(4, Kind::progress, response.size()), response));
  const auto head = answer(4, Kind::response, response.size());
  corpus.put("parts", frame(head, response.substr(0, 5), true)
                          .add(std::uint16_t(response.size() - 5))
                          .add_all(response.substr(5)));
  corpus.put("slot", Seed().add(std::uint16_t(0)).add(std::uint8_t(1)).add(std::uint64_t(10)));
}

void handshake(Corpus corpus) {
  const detail::Contract contract{.service = "calculator", .version = 1, .requests = {"Add"}};
  corpus.put("serves", Seed().add_all(pack(worker::Greeting{.contract = contract})));
  worker::Greeting strayed{.says = worker::Greeting::Says::strayed, .offered = {"other", "more"}};
  corpus.put("strayed", Seed().add_all(pack(strayed)));
  corpus.put("other_protocol", Seed().add_all(pack(worker::Greeting{.protocol = 2})));
}

void control(Corpus corpus) {
  using namespace worker;
  const auto put = [&](const char* name, const auto& message) {
    corpus.put(name, Seed().add_all(pack(message)));
  };
  put("start", Order(StartWorker{.number = 7, .segment = "bulkhead-0123", .max_message = 1 << 20}));
  put("signal", Order(SignalWorker{.number = 8, .signal = SIGKILL}));
  put("confine", Order(Confine{.confinement = {.limits = {.memory = 1 << 20, .cpu = 60}}}));
  put("serving", Notice(Serving{.roof = "/sys/fs/cgroup/bulkhead-1-2-3",
                                .containment = {.session = {true, "setsid"}}}));
  put("refused", Notice(Refused{.why = "its preload threw"}));
  put("started", Notice(Started{.number = 7, .pid = 4711}));
  put("not_started", Notice(NotStarted{.number = 7, .error = 12, .why = "cannot fork"}));
  put("ended", Notice(Ended{.number = 7, .ending = {}}));
}

template <class Value>
void value(Corpus& corpus, std::uint8_t type, const Value& value) {
  detail::Buffer packed;
  detail::encode(packed, value);
  corpus.put("type_" + std::to_string(type), Seed().add(type).add_all(packed));
}

void codec(Corpus corpus) {
  using namespace std::chrono_literals;
  fuzz::Values values;
  std::get<0>(values) = {.number = -1, .flag = true, .real = 2.5, .text = "text"};
  auto& root = std::get<1>(values);
  root.name = "root";
  root.children.push_back({.name = "leaf"});
  root.other = std::make_unique<fuzz::Tree>(fuzz::Tree{.name = "other"});
  std::get<2>(values) = {.values = {1, 2, 3}, .since_two = "new"};
  std::get<3>(values) = {"one", "", "three"};
  std::get<4>(values) = {true, false, true};
  std::get<5>(values) = {{"a", {1, 2}}, {"b", {}}};
  std::get<6>(values) = {{7, {.number = 7}}};
  std::get<7>(values) = {{1, "one"}, {2, "two"}};
  std::get<8>(values) = {{1, 2, 3}, {4, 5, 6}};
  std::get<9>(values) = std::vector<double>{0.5, 1e300};
  std::get<10>(values) = std::make_unique<std::string>("owned");
  std::get<11>(values) = {0b1010, 1500ms, U'x'};
  std::apply([&, type = std::uint8_t{0}](
                 const auto&... each) mutable { (value(corpus, type++, each), ...); },
             values);
}

void environment(Corpus corpus) {
  using worker::Role;
  for (const auto& [name, role] :
       {std::pair("fork_server", Role::fork_server), std::pair("fresh", Role::fresh_fork_server),
        std::pair("worker", Role::worker)}) {
    Seed seed;
    for (const std::string& entry : worker::launch_environment("calculator", 3, role))
      seed.add_all(entry).add('\0');
    corpus.put(name, seed);
  }
  const auto put = [&](const char* name, std::string_view text) {
    corpus.put(name, Seed().add_all(text));
  };
  put("depth", "BULKHEAD_DEPTH=3");
  put("too_deep", "BULKHEAD_DEPTH=4");
  put("timeout", "BULKHEAD_CONNECT_TIMEOUT=90");
  put("huge_pages", {"BULKHEAD_HUGE_PAGES=1\0GLIBC_TUNABLES=a=b:glibc.malloc.hugetlb=1", 63});
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 64;
  const std::filesystem::path folder = arguments[1];
  ring({folder, "ring"});
  messages({folder, "messages"});
  handshake({folder, "handshake"});
  control({folder, "control"});
  codec({folder, "codec"});
  environment({folder, "environment"});
}
