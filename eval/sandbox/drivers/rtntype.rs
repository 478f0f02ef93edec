impl<S: Put, F: Put, I: Put> Put for RtnType<S, F, I> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            RtnType::String(x) => { out.push(1); x.put(out) }
            RtnType::Float(x) => { out.push(2); x.put(out) }
            RtnType::Int(x) => { out.push(3); x.put(out) }
            _ => out.push(0),
        }
    }
}
