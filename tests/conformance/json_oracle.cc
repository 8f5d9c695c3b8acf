// The JSON library of Google's SQL engine as a judge: for each line of the input, a JSON text, prints
// it as json_normal does, a tab, and as the library's dump() does.
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

// json_text.c. Returned owned; NULL if the text is not JSON.
extern "C" char *json_text(const char *text, size_t length);

int main()
{
    for (std::string line; std::getline(std::cin, line);) {
        char *ours = json_text(line.data(), line.size());
        std::cout << (ours == nullptr ? "not JSON" : ours) << '\t'
                  << nlohmann::json::parse(line).dump() << '\n';
        std::free(ours);
    }
}
