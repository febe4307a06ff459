// What tests about answers share.

// Ask over a new socket; the events of the whole answer.
export async function ask_ws(client, message) {
	const ws = await client.ws();
	ws.send({ type: "user_message", ...message });
	const events = await ws.collect((e) =>
		e.type === "stream_done" || e.type === "error");
	await ws.close();
	return events;
}

export const of = (events, type) => events.filter((e) => e.type === type);

export async function messages(client, id) {
	return (await client.get(`/api/chat/${id}`)).json.messages;
}
