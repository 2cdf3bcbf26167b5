// A handler that asks its app for resources by name, while it runs. It expands a document that
// includes others, and may read no file: the app decides what it gets.
#include <bulkhead/bulkhead.hpp>
#include <iostream>
#include <map>
#include <sstream>

// What a handler asks with, and hears by: a pair of channels in its request.
struct Resources {
  bulkhead::Sender<std::string> names;
  bulkhead::Receiver<std::optional<std::string>> texts;

  std::string get(const std::string& name) {
    names.send(name);
    const auto text = texts.receive().value();  // its end would be a mistake of the app's
    if (!text) throw std::runtime_error("there is no " + name);
    return *text;
  }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(names, texts);
  }
};

struct Expand {
  using Response = std::string;
  std::string document;
  Resources resources;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(document, resources);
  }
};

struct Expander : bulkhead::Service<"expander", Expand> {};

// A line "@name" stands for the resource of that name.
std::string expand(const std::string& document, Resources& resources) {
  std::istringstream lines(document);
  std::string expanded;
  for (std::string line; std::getline(lines, line);)
    expanded +=
        line.starts_with('@') ? expand(resources.get(line.substr(1)), resources) : line + '\n';
  return expanded;
}

// The app's side: answers as long as somebody asks.
void give(bulkhead::Receiver<std::string> names,
          bulkhead::Sender<std::optional<std::string>> texts) {
  const std::map<std::string, std::string> known = {{"greeting", "Dear reader,\n@body"},
                                                    {"body", "this line came through a channel."}};
  for (const std::string& name : names) {
    const auto found = known.find(name);
    texts.send(found != known.end() ? std::optional(found->second) : std::nullopt);
  }
}

void show(bulkhead::Pool<Expander>& pool, const std::string& document) {
  auto [ask, names] = bulkhead::channel<std::string>(1);
  auto [answer, texts] = bulkhead::channel<std::optional<std::string>>(1);
  auto expanded = pool.run(Expand{document, {std::move(ask), std::move(texts)}});
  try {
    give(std::move(names), std::move(answer));  // until the handler is done
    std::cout << expanded.get();
  } catch (const bulkhead::Error& error) {
    std::cout << error.what() << '\n';
  }
}

int main() {
  bulkhead::serve_if_worker<Expander>(
      [](Expand request) { return expand(request.document, request.resources); });
  bulkhead::Pool<Expander> pool{{.workers = 1}};
  show(pool, "@greeting\nYours, B.");
  show(pool, "@secrets");
}
