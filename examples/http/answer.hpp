// What a client is told.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <bulkhead/bulkhead.hpp>
#include <exception>
#include <string>

using Answer = boost::beast::http::response<boost::beast::http::string_body>;

Answer text_answer(boost::beast::http::status status, std::string text);
Answer jpeg_answer(const bulkhead::Bytes& jpeg);
// Why its upload was not decoded: the decoder's own words, where it left some.
Answer failure_answer(const std::exception_ptr& why);
