@0xbd4b1c7a52d0e6f3;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bulkhead::bench::echo");

interface Echo {
  call @0 (data :Data) -> (data :Data);
}
