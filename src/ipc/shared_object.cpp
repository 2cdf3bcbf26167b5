#include "ipc/shared_object.hpp"

#include <algorithm>
#include <array>
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>

#include "platform/fault.hpp"
#include "platform/random.hpp"
#include "platform/shared_memory.hpp"

namespace bulkhead::ipc {
namespace {

namespace bip = boost::interprocess;
using platform::Fd;

constexpr std::string_view prefix = "bulkhead-";
constexpr std::size_t digits = 32;

bool is_our_name(std::string_view name) {
  return name.starts_with(prefix) && name.size() == prefix.size() + digits &&
         name.find_first_not_of("0123456789abcdef", prefix.size()) == name.npos;
}

std::string path_of(const std::string& name) {
  return std::string(platform::shared_memory_directory) + "/" + name;
}

// Boost's exceptions say little more than "Permission denied".
template <class Try>
auto or_system_error(const std::string& what, Try&& attempt) {
  try {
    return attempt();
  } catch (const bip::interprocess_exception& error) {
    throw std::system_error(error.get_native_error(), std::generic_category(), what);
  }
}

std::unique_ptr<bip::mapped_region> map(const bip::shared_memory_object& object,
                                        const std::string& name) {
  return or_system_error("cannot map the shared memory object " + path_of(name), [&] {
    return std::make_unique<bip::mapped_region>(object, bip::read_write);
  });
}

// Between its creation and its lock another process may have found it to be stale: then it is lost.
// False once that one has removed the name, not before: it would remove the next object's, too.
bool lock_unless_swept(const Fd& file, const std::string& path) {
  constexpr auto patience = std::chrono::seconds(1);
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!platform::try_lock(file)) {
    if (!platform::leads_to(path, file)) return false;
    if (std::chrono::steady_clock::now() > end)
      throw std::system_error(EBUSY, std::generic_category(), "another process has locked " + path);
    std::this_thread::yield();
  }
  return platform::leads_to(path, file);
}

// A name that is removed again unless it is kept.
struct Name {
  const std::string& text;
  bool kept = false;
  explicit Name(const std::string& name) : text(name) {}
  Name(const Name&) = delete;
  Name& operator=(const Name&) = delete;
  ~Name() {
    if (!kept) bip::shared_memory_object::remove(text.c_str());
  }
};

}  // namespace

std::string SharedObject::new_name() {
  std::string name(prefix);
  for (const std::uint64_t half : platform::random_128()) {
    std::array<char, 16> hex{};
    const char* const end = std::to_chars(hex.begin(), hex.end(), half, 16).ptr;
    const auto length = static_cast<std::size_t>(end - hex.begin());
    name.append(hex.size() - length, '0').append(hex.begin(), length);
  }
  return name;
}

SharedObject SharedObject::create(const std::string& with_name, std::uint64_t bytes) {
  static std::once_flag swept;
  std::call_once(swept, [] { sweep_stale(); });
  for (;;) {
    const bip::shared_memory_object object =
        or_system_error("cannot create the shared memory object " + path_of(with_name), [&] {
          return bip::shared_memory_object(bip::create_only, with_name.c_str(), bip::read_write,
                                           bip::permissions(0600));
        });
    Name name(with_name);
    platform::fault_point("app.before_lock");
    Fd lock = platform::share_open_file(object.get_mapping_handle().handle);
    if (!lock_unless_swept(lock, path_of(name.text))) continue;
    platform::allocate(lock, bytes, path_of(name.text));
    auto region = map(object, name.text);
    name.kept = true;
    return {name.text, std::move(lock), std::move(region)};
  }
}

SharedObject SharedObject::open(const std::string& name) {
  const bip::shared_memory_object object = or_system_error(
      "cannot open the shared memory object " + path_of(name),
      [&] { return bip::shared_memory_object(bip::open_only, name.c_str(), bip::read_write); });
  return {name, Fd(), map(object, name)};
}

void SharedObject::remove(const std::string& name) noexcept {
  bip::shared_memory_object::remove(name.c_str());
}

std::size_t SharedObject::sweep_stale() {
  std::size_t removed = 0;
  std::error_code ignored;  // without the directory nothing is stale
  for (std::filesystem::directory_iterator at(platform::shared_memory_directory, ignored), end;
       at != end; at.increment(ignored)) {
    const std::string name = at->path().filename();
    if (!is_our_name(name)) continue;
    const Fd file = platform::open_regular_file(at->path());
    if (file && platform::try_lock(file) && platform::leads_to(at->path(), file))
      removed += bip::shared_memory_object::remove(name.c_str());
  }
  return removed;
}

SharedObject::SharedObject(std::string name, Fd lock, std::unique_ptr<bip::mapped_region> region)
    : name_(std::move(name)), lock_(std::move(lock)), region_(std::move(region)) {}

SharedObject::SharedObject(SharedObject&&) noexcept = default;

SharedObject& SharedObject::operator=(SharedObject&& other) noexcept {
  unlink();
  name_ = std::move(other.name_);
  lock_ = std::move(other.lock_);
  region_ = std::move(other.region_);
  return *this;
}

SharedObject::~SharedObject() { unlink(); }

void SharedObject::unlink() noexcept {
  if (!lock_) return;
  bip::shared_memory_object::remove(name_.c_str());
  lock_.reset();
}

std::byte* SharedObject::data() const { return static_cast<std::byte*>(region_->get_address()); }

std::size_t SharedObject::size() const { return region_->get_size(); }

}  // namespace bulkhead::ipc
