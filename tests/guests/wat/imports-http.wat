;; A command that imports wasi:http.
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "outgoing-request" (type (sub resource)))
    (export "request-options" (type (sub resource)))))
  (alias export $types "outgoing-request" (type $request))
  (alias export $types "request-options" (type $options))
  (import "wasi:http/outgoing-handler@0.2.0" (instance $handler
    (alias outer 1 $request (type $request))
    (export "handle" (func (param "request" (own $request)) (result (result))))))
  (core func $handle (canon lower (func $handler "handle")))
  (core module $code
    (import "host" "handle" (func $handle (param i32) (result i32)))
    (func (export "run") (result i32) (call $handle (i32.const 0))))
  (core instance $main (instantiate $code (with "host" (instance (export "handle" (func $handle))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
