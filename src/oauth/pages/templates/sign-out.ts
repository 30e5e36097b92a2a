export const signOut = `
<% layout('@layout', { title: it.t('sign-out.title') }) %>
<h1><%= it.t('sign-out.title') %></h1>
<p class="lead"><%= it.t('sign-out.text', { username: it.username }) %></p>
<form method="post" action="<%= it.action %>">
<input type="hidden" name="csrf" value="<%= it.csrf %>">
<% Object.entries(it.hidden).forEach(([name, value]) => { %>
<input type="hidden" name="<%= name %>" value="<%= value %>">
<% }) %>
<div class="actions decision">
<button type="submit"><%= it.t('sign-out.submit') %></button>
</div>
</form>
`;
