;; A command that grows a table until it is refused, and then fails: a host must end it before.
(component
  (core module $code
    (table $refs 1 funcref)
    (func (export "run") (result i32)
      (loop $again
        (br_if $again (i32.ne (table.grow $refs (ref.null func) (i32.const 1000)) (i32.const -1))))
      (i32.const 1)))
  (core instance $main (instantiate $code))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
