// Classes whose functions take a version (CEREAL_CLASS_VERSION). cereal looks versions up in a
// table of the whole process, unlocked unless a macro says so. Here a version is its class's
// constant, and travels with each object; everything else is as cereal has it.
#pragma once

#include <cereal/cereal.hpp>
#include <cstdint>

namespace bulkhead::detail {

// The one function of a class that takes a version, if that is what the class has.
enum class VersionedBy {
  nothing,
  member_serialize,
  free_serialize,
  member_split,
  free_split,
  member_minimal,
  free_minimal
};

template <template <class, class> class Has, template <class, class> class Chosen, class T,
          class Archive>
inline constexpr bool calls = Has<T, Archive>::value &&
                              (Chosen<T, Archive>::value ||
                               !cereal::traits::is_specialized<T, Archive>::value);

template <class Archive, class T>
constexpr VersionedBy saved_by() {
  using namespace cereal::traits;
  using enum VersionedBy;
  if constexpr (!is_output_serializable<T, Archive>::value ||
                has_invalid_output_versioning<T, Archive>::value) {
    return nothing;
  } else {
    if (calls<has_member_versioned_serialize, is_specialized_member_versioned_serialize, T,
              Archive>)
      return member_serialize;
    if (calls<has_non_member_versioned_serialize, is_specialized_non_member_versioned_serialize, T,
              Archive>)
      return free_serialize;
    if (calls<has_member_versioned_save, is_specialized_member_versioned_save, T, Archive>)
      return member_split;
    if (calls<has_non_member_versioned_save, is_specialized_non_member_versioned_save, T, Archive>)
      return free_split;
    if (calls<has_member_versioned_save_minimal, is_specialized_member_versioned_save_minimal, T,
              Archive>)
      return member_minimal;
    if (calls<has_non_member_versioned_save_minimal,
              is_specialized_non_member_versioned_save_minimal, T, Archive>)
      return free_minimal;
    return nothing;
  }
}

template <class Archive, class T>
constexpr VersionedBy loaded_by() {
  using namespace cereal::traits;
  using enum VersionedBy;
  if constexpr (!is_input_serializable<T, Archive>::value ||
                has_invalid_input_versioning<T, Archive>::value) {
    return nothing;
  } else {
    if (calls<has_member_versioned_serialize, is_specialized_member_versioned_serialize, T,
              Archive>)
      return member_serialize;
    if (calls<has_non_member_versioned_serialize, is_specialized_non_member_versioned_serialize, T,
              Archive>)
      return free_serialize;
    if (calls<has_member_versioned_load, is_specialized_member_versioned_load, T, Archive>)
      return member_split;
    if (calls<has_non_member_versioned_load, is_specialized_non_member_versioned_load, T, Archive>)
      return free_split;
    if (calls<has_member_versioned_load_minimal, is_specialized_member_versioned_load_minimal, T,
              Archive>)
      return member_minimal;
    if (calls<has_non_member_versioned_load_minimal,
              is_specialized_non_member_versioned_load_minimal, T, Archive>)
      return free_minimal;
    return nothing;
  }
}

template <VersionedBy Function, class Archive, class T>
void save_versioned(Archive& archive, const T& value) {
  const std::uint32_t version = cereal::detail::Version<T>::version;
  archive(version);
  using enum VersionedBy;
  if constexpr (Function == member_serialize) {
    cereal::access::member_serialize(archive, const_cast<T&>(value), version);
  } else if constexpr (Function == free_serialize) {
    CEREAL_SERIALIZE_FUNCTION_NAME(archive, const_cast<T&>(value), version);
  } else if constexpr (Function == member_split) {
    cereal::access::member_save(archive, value, version);
  } else if constexpr (Function == free_split) {
    CEREAL_SAVE_FUNCTION_NAME(archive, value, version);
  } else if constexpr (Function == member_minimal) {
    archive(cereal::access::member_save_minimal(archive, value, version));
  } else {
    archive(CEREAL_SAVE_MINIMAL_FUNCTION_NAME(archive, value, version));
  }
}

template <VersionedBy Function, class Archive, class T>
void load_versioned(Archive& archive, T& value) {
  using Saver = typename cereal::traits::detail::get_output_from_input<Archive>::type;
  std::uint32_t version = 0;
  archive(version);
  using enum VersionedBy;
  if constexpr (Function == member_serialize) {
    cereal::access::member_serialize(archive, value, version);
  } else if constexpr (Function == free_serialize) {
    CEREAL_SERIALIZE_FUNCTION_NAME(archive, value, version);
  } else if constexpr (Function == member_split) {
    cereal::access::member_load(archive, value, version);
  } else if constexpr (Function == free_split) {
    CEREAL_LOAD_FUNCTION_NAME(archive, value, version);
  } else if constexpr (Function == member_minimal) {
    typename cereal::traits::has_member_versioned_save_minimal<T, Saver>::type saved{};
    archive(saved);
    cereal::access::member_load_minimal(archive, value, saved, version);
  } else {
    typename cereal::traits::has_non_member_versioned_save_minimal<T, Saver>::type saved{};
    archive(saved);
    CEREAL_LOAD_MINIMAL_FUNCTION_NAME(archive, value, saved, version);
  }
}

}  // namespace bulkhead::detail
