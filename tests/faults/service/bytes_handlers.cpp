#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <tuple>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "faults/service/bytes_service.hpp"
#include "platform/memory_file.hpp"
#include "rpc/blob_wire.hpp"

namespace bulkhead::test {

namespace {

std::vector<Bytes>& kept() {
  static std::vector<Bytes> all;
  return all;
}

Bytes echo_bytes(const EchoBytes& request) { return request.bytes; }
Several echo_several(EchoSeveral request) { return std::move(request.several); }

Bytes make_bytes(const MakeBytes& request, Context& context) {
  MutableBytes made = context.make_bytes(request.size);
  if (request.fill) std::fill_n(made.data(), made.size(), std::byte(request.value));
  if (request.throws) throw std::runtime_error("told to throw");
  if (request.own) return Bytes::copy_of(made.span());
  return made;
}

void keep_bytes(const KeepBytes& request) { kept().push_back(request.bytes); }
Bytes kept_bytes(const KeptBytes&) { return kept().at(0); }
Holdings ask_holdings(const AskHoldings&) { return holdings(); }

Bytes die_with_bytes(const DieWithBytes& request, Context& context) {
  if (!request.once.empty() && !std::filesystem::create_directory(request.once))
    return request.bytes;
  const auto made = context.make_bytes(request.making ? 1 << 20 : 0);
  ::abort();
}

Bytes nest_bytes(const NestBytes& request) {
  static Pool<BytesService> pool{{.workers = 1}};
  return pool.run(EchoBytes{request.bytes}).get();
}

// ------------------------------------------------------------ hostile ones

int own_packet_socket() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int number = std::stoi(entry.path().filename());
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET)
      return number;
  }
  throw std::runtime_error("this process has no socket for bytes");
}

void send(std::span<const std::byte> bytes, int fd) {
  iovec data{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  ::sendmsg(own_packet_socket(), &message, MSG_NOSIGNAL);
}

// What the app answers to `need`; -1: no descriptor came with it.
int receive_descriptor(const rpc::BlobPacket& need) {
  send(need.raw(), -1);
  rpc::BlobPacket answer;
  iovec data{&answer, sizeof answer};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ::recvmsg(own_packet_socket(), &message, 0);
  int fd = -1;
  if (const cmsghdr* const header = CMSG_FIRSTHDR(&message))
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

constexpr std::uint64_t megabyte = 1 << 20;

int memory(std::uint64_t bytes, int seals, bool sparse = false) {
  const int fd = ::memfd_create("forged", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (sparse)
    static_cast<void>(::ftruncate(fd, static_cast<off_t>(bytes)));
  else
    ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  ::fcntl(fd, F_ADD_SEALS, seals);
  return fd;
}

int descriptor_for(BadBytes bad) {
  constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  int ends[2];
  switch (bad) {
    case BadBytes::pipe:
      static_cast<void>(::pipe(ends));
      return ends[0];
    case BadBytes::device:
      return ::open("/dev/zero", O_RDONLY);
    case BadBytes::plain_file:
      return ::open("/proc/self/exe", O_RDONLY);
    case BadBytes::unsealed:
      return memory(megabyte, 0);
    case BadBytes::half_sealed:
      return memory(megabyte, F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
    case BadBytes::truncated:
      return memory(megabyte / 2, seals);
    case BadBytes::sparse:
      return memory(megabyte, seals, true);
    default:
      return memory(megabyte, seals);
  }
}

constexpr rpc::BlobId forged_id = 1'000'000;

ForgedBytes forge_bytes(const ForgeBytes& request) {
  static rpc::BlobPacket packet{.id = forged_id, .bytes = megabyte};
  ForgedBytes answer{.maker = 2, .id = packet.id, .size = megabyte};
  switch (request.bad) {
    case BadBytes::never_passed:
      return {.maker = 2, .id = 77, .size = 10};
    case BadBytes::of_another_call:
      return {.maker = 1, .id = 1, .size = 10};
    case BadBytes::too_many:
      return {.maker = 1, .id = 1, .size = request.bytes.size() + 1};
    case BadBytes::unknown_maker:
      return {.maker = 9, .id = 1, .size = 10};
    case BadBytes::more_than_passed:
      answer.size = megabyte + 1;
      break;
    case BadBytes::used_number:
      send(packet.raw(), descriptor_for(request.bad));
      answer.id = 77;  // else what came first would do
      break;
    case BadBytes::index_out_of_range:
      packet.index = 5000;
      break;
    case BadBytes::beyond_limit:
      packet.bytes = std::uint64_t{1} << 60;
      break;
    case BadBytes::of_unknown_kind:
      packet.what = static_cast<rpc::BlobPacket::What>(99);
      break;
    case BadBytes::short_packet:
      send(packet.raw().first(3), -1);
      return answer;
    case BadBytes::long_packet:
      send(std::vector<std::byte>(4096), -1);
      return answer;
    default:
      break;
  }
  send(packet.raw(), descriptor_for(request.bad));
  return answer;
}

ForgedBlocks forge_blocks(const ForgeBlocks& request) {
  const ForgedBlocks::Block good{detail::is_beside | megabyte, 2, forged_id, megabyte};
  ForgedBlocks answer{.one = good};
  switch (request.bad) {
    case BadBlock::twice:
      answer.other = good;
      break;
    case BadBlock::given:
      answer.one.maker = 1;
      answer.one.id = 1;
      break;
    case BadBlock::never_passed:
      answer.one.id = 77;
      break;
    case BadBlock::other_count:
      ++answer.one.elements;
      break;
    case BadBlock::no_handle:
      answer.one.maker = 0;
      break;
    case BadBlock::overflowing:
      answer.one = {~std::uint64_t{}, 2, forged_id, ~detail::is_beside};
      break;
    default:
      break;
  }
  send(rpc::BlobPacket{.id = forged_id, .bytes = megabyte}.raw(), descriptor_for(BadBytes::none));
  return answer;
}

Large echo_large(EchoLarge request) { return std::move(request.large); }

void take_descriptors(const TakeDescriptors&) {
  while (::open("/dev/null", O_RDONLY) >= 0) {
  }
}

int write_into_file(int fd) {
  int worked = 0;
  worked += ::pwrite(fd, "!", 1, 0) == 1;
  worked += ::ftruncate(fd, 0) == 0;
  worked += ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0;
  worked += ::mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED;
  return worked;
}

int write_into(const WriteInto& request) {
  int worked = 0;
  auto* const at = const_cast<std::byte*>(request.bytes.data());
  worked += ::mprotect(at, request.bytes.size(), PROT_READ | PROT_WRITE) == 0;
  worked += ::madvise(at, request.bytes.size(), MADV_REMOVE) == 0;
  // Its file, as the app passes it to who asks, and opened once more.
  const int fd = receive_descriptor({.what = rpc::BlobPacket::need, .id = 1});
  if (fd < 0) return -1;
  worked += write_into_file(fd);
  return worked + write_into_file(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR));
}

constexpr auto handlers = std::make_tuple(
    echo_bytes, echo_several, make_bytes, keep_bytes, kept_bytes, ask_holdings, die_with_bytes,
    nest_bytes, forge_bytes, write_into, echo_large, take_descriptors, forge_blocks);

}  // namespace

Holdings holdings() {
  Holdings found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    found.mappings += line.find("memfd:bulkhead-bytes") != std::string::npos;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++found.descriptors;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  found.faults = static_cast<std::uint64_t>(usage.ru_minflt);
  found.pid = ::getpid();
  return found;
}

void serve_bytes_if_worker() {
  const ServeOptions options{.threads = told("TEST_THREADS", 1)};
  std::apply([&](auto... each) { bulkhead::serve_if_worker<BytesService>(options, each...); },
             handlers);
}

template <>
Pool<BytesService> pool_of_threads<BytesService>(const PoolOptions& options,
                                                 const ServeOptions& serve) {
  return std::apply([&](auto... each) { return InlinePool<BytesService>(options, serve, each...); },
                    handlers);
}

}  // namespace bulkhead::test
