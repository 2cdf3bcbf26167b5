#include <fstream>

#include "album.hpp"

namespace {

constexpr const char* style = R"(
  :root { color-scheme: light dark; --soft: color-mix(in srgb, CanvasText 62%, Canvas);
          --line: color-mix(in srgb, CanvasText 14%, Canvas); }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 0 auto; padding: 2.5rem 2rem; }
  h1 { font-size: 1.7rem; margin: 0; }
  h2 { font-size: 1.15rem; margin: 2.5rem 0 1rem; }
  p { color: var(--soft); margin: .3rem 0 0; }
  .sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: 1.25rem; }
  figure { margin: 0; }
  img { width: 100%; aspect-ratio: 4/3; object-fit: cover; border-radius: .5rem; display: block;
        background: var(--line); }
  figcaption { font-size: .82rem; margin-top: .4rem; overflow: hidden; text-overflow: ellipsis;
               white-space: nowrap; }
  small { color: var(--soft); }
  table { border-collapse: collapse; width: 100%; }
  td { border-top: 1px solid var(--line); padding: .55rem 1rem .55rem 0; vertical-align: top; }
  td:first-child { overflow-wrap: anywhere; width: 34%; }
  td small { white-space: pre-line; overflow-wrap: anywhere; }
)";

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

void write_thumbnail(std::ofstream& html, const Entry& entry) {
  const std::string name = escaped(entry.image.filename().string());
  html << "<figure><img loading=\"lazy\" src=\"" << escaped(entry.thumbnail) << "\" alt=\"" << name
       << "\"><figcaption title=\"" << escaped(entry.image.string()) << "\">" << name
       << "<br><small>" << entry.width << " × " << entry.height
       << "</small></figcaption></figure>\n";
}

void write_failure(std::ofstream& html, const Entry& entry) {
  html << "<tr><td title=\"" << escaped(entry.image.string()) << "\">"
       << escaped(entry.image.filename().string()) << "</td><td>" << escaped(entry.reason)
       << "<br><small>" << escaped(entry.details) << "</small></td></tr>\n";
}

}  // namespace

void write_contact_sheet(const Album& album, const std::filesystem::path& page) {
  std::ofstream html;
  html.exceptions(std::ios::failbit | std::ios::badbit);
  html.open(page);
  html << "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
       << "<meta name=\"viewport\" content=\"width=device-width\">\n"
       << "<title>Contact sheet</title>\n<style>" << style << "</style></head>\n<body>\n"
       << "<h1>Contact sheet</h1>\n<p>" << album.found << " images: " << album.decoded()
       << " decoded, " << album.failed() << " failed, " << album.missing() << " missing. "
       << album.workers_lost << " workers lost, " << album.workers_replaced << " replaced.</p>\n";
  html << "<h2>Decoded</h2>\n<div class=\"sheet\">\n";
  for (const Entry& entry : album.entries) {
    if (!entry.thumbnail.empty()) write_thumbnail(html, entry);
  }
  html << "</div>\n<h2>Failed</h2>\n<table>\n";
  for (const Entry& entry : album.entries) {
    if (entry.thumbnail.empty()) write_failure(html, entry);
  }
  html << "</table>\n</body></html>\n";
}
