// What became of each image, and the page and summary that show it.
#pragma once

#include <bulkhead/error.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

struct Entry {
  std::filesystem::path image;
  std::string thumbnail = {};  // relative to the page; empty: the image failed
  int width = 0;               // of the image, in pixels
  int height = 0;
  std::string reason = {};   // of the failure, short: what failures are counted by
  std::string details = {};  // of the failure, long
};

struct Album {
  std::vector<Entry> entries;
  std::size_t found = 0;  // images; more than entries if the user ended the run early
  std::size_t workers_lost = 0;
  std::size_t workers_replaced = 0;
  std::chrono::milliseconds time = {};

  std::size_t decoded() const;
  std::size_t failed() const { return entries.size() - decoded(); }
  std::size_t missing() const { return found - entries.size(); }
};

// Every image under the folders, in order; what is under `except` is left out.
std::vector<std::filesystem::path> find_images(const std::vector<std::filesystem::path>& folders,
                                               const std::filesystem::path& except);

Entry failed_entry(std::filesystem::path image, const bulkhead::Error& error);

void write_contact_sheet(const Album& album, const std::filesystem::path& page);
void print_summary(const Album& album);
